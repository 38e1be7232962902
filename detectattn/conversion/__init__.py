"""From a PyTorch model to one that OpenVINO or ONNX Runtime runs: export, INT8, the parity gate, the engine cache."""
