"""Find out why a realtime speech-to-text client gives garbled text, answers late or gets errors."""

__version__ = "0.1.0"
