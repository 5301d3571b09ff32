"""The inbox: one page that shows live what arrived, and lets a developer script failures with a click."""
