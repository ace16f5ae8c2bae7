"""What an operator of the service can see of it: metrics and traces. Knows no person."""
