"""The statement for finance: what became of a month's invoices, and what nobody can explain yet."""
