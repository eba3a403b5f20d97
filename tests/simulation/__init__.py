"""The simulation: the real core on fakes of its ports, under a virtual clock and a seeded scheduler."""
