"""The demo: a simulated Kravia, a sample producer, an embedded broker and a scoreboard. Never part of production."""
