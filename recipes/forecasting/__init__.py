"""Forecasts of series: what their recipes share."""
