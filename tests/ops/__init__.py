"""What operations get as code: alerts, dashboards, and that both tell the truth about a real worker."""
