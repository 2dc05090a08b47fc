"""What we promise others: JSON Schema of every event version, the AsyncAPI document, our CodeSystem; all generated."""
