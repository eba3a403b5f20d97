"""The chart, and the two scripts that write what it knows of settings and package it."""
