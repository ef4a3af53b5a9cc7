"""What every context stands on: who acts, what they may do, how it is written, kept, found and carried out."""
