"""A small library made of one portrait, indexed and rendered, whose true eye positions are known."""

from alignimation_index.demo.run import DemoResult, run_demo

__all__ = ["DemoResult", "run_demo"]
