"""The machine's configuration: TOML in, one frozen and checked `Config` out."""

from vendd.config.loading import load, load_with_warnings, salvage
from vendd.config.model import Config
from vendd.config.problems import ConfigError, Problem

__all__ = ["Config", "ConfigError", "Problem", "load", "load_with_warnings", "salvage"]
