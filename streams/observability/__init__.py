"""What operators see of a running process: metrics, health, logs. Never anything about a patient."""
