"""Pictures with known layers: shapes, figures, light and wear, from which scenes are made."""
