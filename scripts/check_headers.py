#!/usr/bin/env python3
"""Every header compiles alone, and twice in one file, without a warning.

Where one header includes another, one compilation that includes the smaller one and then the larger one checks both:
nothing stands before the larger one that it would not include itself. So the headers are cut into chains, each header
included by the next, and as few chains as there can be are compiled. Where one fails, each header in it is compiled by
itself, to name the culprit. What a chain does not see: that a header lacks what only its templates' instantiations need,
which compilers put off to the end of the file, if a larger header brings it; and a name used above the include that
brings it. --each, to be run now and then, compiles every header by itself.

Headers but the umbrellas are compiled as users of mien::compiled see them, and each NAME_impl.hpp, which holds the
definitions of NAME.hpp, by itself: together what others see, without parsing every definition for every header above it.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*(?:include|define\s+MIEN_KERNEL_TEXT)\s*[<"]([^>"]+)[>"]', re.M)
FLAGS = "-x c++ -std=c++20 -fopenmp -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror".split()


def declares_only(header):
    """Whether it is compiled as a user of mien::compiled sees it: all but definitions and the umbrellas."""
    return header.count("/") > 1 and not header.endswith("_impl.hpp")


def closure(header, direct):
    """The names of all files that `header` includes, itself among them."""
    seen, left = set(), [header]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += direct.get(name, ())
    return seen


def closures(headers, includes):
    """By header: all that it includes, as it is compiled here."""
    declarations = {name: [i for i in named if not i.endswith("_impl.hpp")] for name, named in includes.items()}
    return {header: closure(header, declarations if declares_only(header) else includes) for header in headers}


def chains(headers, includes):
    """The headers in as few chains as there can be, each header included by the next."""
    seen = closures(headers, includes)
    larger = {a: [b for b in headers if a in seen[b] and b not in seen[a] and declares_only(a) == declares_only(b)]
              for a in headers}
    before = {}  # a largest matching of headers and their successors, by augmenting paths

    def follow(header, tried):
        for successor in larger[header]:
            if successor in tried:
                continue
            tried.add(successor)
            if successor not in before or follow(before[successor], tried):
                before[successor] = header
                return True
        return False

    for header in headers:
        follow(header, set())
    after = {a: b for b, a in before.items()}
    found = []
    for header in headers:
        if header not in before:
            chain = [header]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            found.append(chain)
    return found


def compile_headers(headers, options):
    """The compiler's messages; none if they compile, in this order and once more."""
    mode = ["-DMIEN_COMPILED"] if declares_only(headers[0]) else []
    command = [options.compiler, *FLAGS, *mode, f"-I{options.include}", "-isystem", options.eigen, "-"]
    text = "".join(f"#include <{header}>\n" for header in [*headers, *headers])
    done = subprocess.run(command, input=text, stderr=subprocess.PIPE, text=True)
    return None if done.returncode == 0 else done.stderr or f"{options.compiler}: exit status {done.returncode}"


def failures(chain, options):
    """What is wrong with the chain, a text for each header to blame."""
    message = compile_headers(chain, options)
    if message is None:
        return []
    alone = [(chain[0], message)]
    if len(chain) > 1:
        alone = [(header, compile_headers([header], options)) for header in chain]
    blamed = [f"{text}{header} does not compile alone with {options.compiler}" for header, text in alone if text]
    return blamed or [f"{message}{' '.join(chain)}: these do not compile in this order with {options.compiler}"]


def check(options):
    """Ends the program with what is wrong, if something is."""
    paths = sorted(path for path in options.include.glob("mien/**/*") if path.suffix in (".hpp", ".inl"))
    includes = {str(path.relative_to(options.include)): INCLUDE.findall(path.read_text()) for path in paths}
    headers = [name for name in includes if name.endswith(".hpp")]
    units = [[header] for header in headers] if options.each else chains(headers, includes)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        failed = [text for texts in pool.map(lambda chain: failures(chain, options), units) for text in texts]
    print(*failed, sep="\n", file=sys.stderr, end="\n" if failed else "")
    if failed or not headers:
        sys.exit(f"error: each header must compile alone ({len(headers)} in {options.include}/mien)")
    print(f"== {len(headers)} headers compile alone with {options.compiler} ({len(units)} compilations)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--eigen", default="/usr/include/eigen3", help="Eigen's folder; default: Debian's")
    parser.add_argument("--include", type=pathlib.Path, default=ROOT / "include", help="the folder with mien/ in it")
    parser.add_argument("--each", action="store_true", help="a compilation for each header: sees more, takes twice as long")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="default: a job for each processor")
    options = parser.parse_args()
    check(options)


main()
