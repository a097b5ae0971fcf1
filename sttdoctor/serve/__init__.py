"""A page on loopback on which captures are dropped and their reports appear (`sttdoctor serve`).

One request a capture: its body is the capture, its answer the steps of judging and the reports. The server holds
nothing between two requests, and what a request has (a folder, a process) goes with its connection.
"""
