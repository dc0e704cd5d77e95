"""The sign beside a unit: what it says (`wording`, pure) and how it looks on A4 (`page`)."""
