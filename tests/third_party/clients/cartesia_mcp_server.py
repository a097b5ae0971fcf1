"""The vendor's MCP server, whose tool transcribes a file: it sends all of it at once and reads after that."""

import os
import sys

from spoken import tell

os.environ["CARTESIA_API_KEY"] = "any"
os.environ["CARTESIA_BASE_URL"] = sys.argv[1]

from cartesia_mcp.server import speech_to_text  # it reads the environment when it is imported

tell(speech_to_text(file_path=sys.argv[2], mode="stream").text)
