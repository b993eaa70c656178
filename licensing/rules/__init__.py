"""What licences decide, on plain values (LIC-1 to LIC-8)."""
