"""What ISV Connect decides, on plain values (ISV-1 to ISV-7)."""
