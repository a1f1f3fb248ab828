"""The plugin's brain: jobs, results, history; the daemon's life; knows neither Qt nor Krita."""
