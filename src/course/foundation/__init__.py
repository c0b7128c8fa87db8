"""What everything else stands on and what stands on nothing: no torch, no other part of the course."""
