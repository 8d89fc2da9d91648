"""Writes C of an OpenCL without devices, on standard output: opencl_without_devices.py LIBDNNL.so

Debian's oneDNN can compute on graphics cards too, and wants libOpenCL.so.1 for that. neurodex only computes on the processor, so what
stands there is a library of the names that oneDNN asks for, by the versions it asks for: each answers that there is no platform.
"""

import re
import subprocess
import sys

NO_PLATFORM = -1001  # CL_PLATFORM_NOT_FOUND_KHR


def main():
    symbols = subprocess.run(["nm", "-D", "--undefined-only", sys.argv[1]], check=True, capture_output=True, text=True).stdout
    wanted = sorted(set(re.findall(r" U (cl\w+)@(OPENCL_[0-9.]+)", symbols)))
    for name, version in wanted:
        print(f'int {name}_(void) {{ return {NO_PLATFORM}; }}\n__asm__(".symver {name}_, {name}@@{version}");')


main()
