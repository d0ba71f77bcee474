"""Training of the audio encoder and the lip network: speech in, articulation out. Start with ../README.md."""
