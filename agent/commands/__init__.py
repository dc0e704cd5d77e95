"""What the control room tells a unit to do: taken once, carried out once, answered and audited."""
