"""Compiles a CUDA file with NVIDIA's runtime compiler, as the program does on a machine with a GPU: none is needed for that.

usage: compile.py LIBRARY FILE
"""

import ctypes
import pathlib
import sys

library, file = sys.argv[1:]
nvrtc = ctypes.CDLL(library)
program = ctypes.c_void_p()
source = pathlib.Path(file).read_bytes()


def check(code: int) -> None:
    """Ends with the compiler's words where it refused."""
    if code == 0:
        return
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(max(1, size.value))
    nvrtc.nvrtcGetProgramLog(program, log)
    sys.exit(log.value.decode() or f"NVRTC answers {code}")


check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, file.encode(), 0, None, None))
check(nvrtc.nvrtcCompileProgram(program, 0, None))
size = ctypes.c_size_t()
check(nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size)))
ptx = ctypes.create_string_buffer(size.value)
check(nvrtc.nvrtcGetPTX(program, ptx))
print(f"{ptx.value.count(b'.entry')} kernels")
