"""The pregnancy prevention programme: potential, tests, contraception, dispensing, pregnancy."""
