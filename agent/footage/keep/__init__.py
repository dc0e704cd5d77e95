"""What is kept and what goes: storage classes, budgets, ages, holds, the forecast."""
