"""Prevention of venous thromboembolism: risk tier, agent, conflicts."""
