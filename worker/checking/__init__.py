"""Events in files: read with bounded memory, and judged by the worker's own rules before they are sent."""
