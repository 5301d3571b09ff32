"""Multiplexed HTTP/2 connections of our own: protocol engines, connection, pool."""
