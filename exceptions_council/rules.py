"""The rules of exceptions (EXC) as pure decisions."""
