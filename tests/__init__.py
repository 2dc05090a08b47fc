"""Tests: one folder a room, plus those that cut across (properties, stories, broker, chaos, simulation, architecture)."""
