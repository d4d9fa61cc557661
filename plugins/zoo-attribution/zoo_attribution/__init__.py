"""Gradient-based interpreters."""

from __future__ import annotations

import zoo


@zoo.hookimpl
def zoo_register(registry) -> None:
    """Saliency, input x gradient, integrated gradients, DeepLIFT/SHAP."""
    registry.add("interpreter", "saliency", "zoo_attribution.saliency:Saliency")
    registry.add("interpreter", "input_x_gradient", "zoo_attribution.saliency:InputXGradient")
    registry.add("interpreter", "integrated_gradients", "zoo_attribution.integrated_gradients:IntegratedGradients")
    registry.add("interpreter", "deeplift_shap", "zoo_attribution.deeplift_shap:DeepLiftShap")
    registry.configs("pkg://zoo_attribution.conf")
