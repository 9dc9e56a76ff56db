"""Small forecasters."""

from recipes.forecasting.settings import Settings


def settings(**given):
    """Settings of a small forecaster."""
    return Settings(
        **{
            "units": 8,
            "lookback": 48,
            "horizon": 12,
            "period": 12,
            "form": "segments",
            "batch_size": 16,
            "learning_rate": 1e-2,
            "loss": "mae",
            "level": "last",
            "batches": 30,
        }
        | given
    )
