"""Faust around the bodies: subscribes, batches, calls, acknowledges. Only here, in app and in worker is it imported."""
