"""`python -m streams` is `myelowatch`."""

from streams.cli import main

raise SystemExit(main())
