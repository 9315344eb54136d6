"""Runs mien's benchmarks and its opponents in turns and prints medians and ratios as Markdown tables.

usage: compare.py SECTION... [--build DIR] [--rounds N] [--filter REGEX] [--threads N] [--models M ...] [--onnxruntime DIR]

sections: gemm      GFLOP/s against Eigen, OpenBLAS and oneDNN, and as a part of the FMA peak of the same run
          im2col    bytes written a second against a plain copy
          conv2d    every convolution and pass of the six networks against oneDNN
          denormals every convolution and pass of pictures of denormal numbers against ordinary ones
          pointwise optimizer, batch normalisation, pooling and activation, bytes a second against loops that move as many
          models    training steps and predictions against PyTorch and, where it is installed, ONNX Runtime
          memory    peak resident size of a process that trains, against PyTorch

A ratio above 1 says that mien is faster, or smaller. scripts/compare.sh builds what is needed and calls this."""
import argparse
import collections
import csv
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def run_benchmark(options, program, pattern, *more):
    """One run of a Google Benchmark program: {name: (ms, counters)}."""
    command = [f"{options.build}/benchmarks/{program}", f"--benchmark_filter={pattern}", "--benchmark_format=json", *more]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = json.loads(output)["benchmarks"] if output else []  # nothing matched: the program says so, and ends well
    return {row["name"]: (row["real_time"], row) for row in rows}


def median_rates(options, program, pattern, counter):
    """The median of a counter over the rounds: {name: rate}. Short runs, so that the rounds alternate the sides more often."""
    samples = collections.defaultdict(list)
    for _ in range(options.rounds):
        for name, (_, row) in run_benchmark(options, program, pattern, "--benchmark_min_time=0.15").items():
            samples[name].append(row[counter])
    return {name: statistics.median(values) for name, values in samples.items()}


def print_table(title, header, rows):
    if not rows:
        print(f"\n### {title}\n\n--filter matches nothing here: the programs in build/release/benchmarks list what they time (--benchmark_list_tests).")
        return
    print(f"\n### {title}\n\n| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def geometric_mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def print_mean(ratios):
    if ratios:
        print(f"\nGeometric mean of {len(ratios)} ratios {geometric_mean(ratios):.2f}, lowest {min(ratios):.2f}")


def compare_gemm(options):
    rates = median_rates(options, "gemm_benchmark", f"^(peak/|.*gemm).*({options.filter})", "GFLOP/s")
    peaks = median_rates(options, "gemm_benchmark", "^peak/", "GFLOP/s")
    rows, ratios = [], []
    forms = {"gemm": "", "gemm_tn": ", A'", "gemm_nt": ", B'"}
    for name in [n for n in rates if n.startswith("gemm")]:
        kind, shape, threads = re.fullmatch("(gemm[a-z_]*)/(.*)/threads:(.*)", name).groups()
        others = {o: rates[f"{o}/{name}"] for o in ("eigen", "openblas", "onednn") if f"{o}/{name}" in rates}
        best = max(others, key=others.get) if others else None
        ratios += [rates[name] / others[best]] if best else []
        rows.append([shape.replace("/", " x ") + forms[kind], threads, f"{rates[name]:.0f}",
                     f"{100 * rates[name] / peaks[f'peak/threads:{threads}']:.0f} %",
                     *(f"{others[o]:.0f}" if o in others else "-" for o in ("eigen", "openblas", "onednn")),
                     f"{rates[name] / others[best]:.2f}" if best else "-"])
    print_table("Matrix products, GFLOP/s", ["m x n x k", "threads", "mien", "of the peak", "Eigen", "OpenBLAS",
                                              "oneDNN", "mien / best"], rows)
    print_mean(ratios)


def compare_im2col(options):
    rates = median_rates(options, "conv2d_benchmark", f"^(copy/|im2col/.*({options.filter}))", "GB/s")
    rows = []
    for name in [n for n in rates if n.startswith("im2col/")]:
        shape, threads = name.removeprefix("im2col/").split("/threads:")
        copy = rates[f"copy/threads:{threads}"]
        rows.append([shape, threads, f"{rates[name]:.1f}", f"{copy:.1f}", f"{rates[name] / copy:.2f}"])
    print_table("im2col, GB/s written", ["shape", "threads", "im2col", "copy", "im2col / copy"], rows)


def compare_denormals(options):
    end = f"threads:{options.threads}$"
    rates = median_rates(options, "conv2d_benchmark",
                         f"^(conv2d/.*({options.filter}).*/auto|denormals/.*({options.filter}).*)/{end}", "GFLOP/s")
    rows, ratios = [], []
    for name in [n for n in rates if n.startswith("denormals/")]:
        _, shape, which, threads = name.split("/")
        ordinary = rates[f"conv2d/{shape}/{which}/auto/{threads}"]
        ratios.append(rates[name] / ordinary)
        rows.append([shape, which, f"{ordinary:.0f}", f"{rates[name]:.0f}", f"{ratios[-1]:.2f}"])
    print_table(f"Denormal pictures and gradients, effective GFLOP/s, {options.threads} threads",
                ["shape", "pass", "ordinary", "denormal", "denormal / ordinary"], rows)
    print_mean(ratios)


def compare_pointwise(options):
    rates = median_rates(options, "pointwise_benchmark", f"^(stream/|pointwise/.*({options.filter}))", "GB/s")
    loops = {"adam": "update", "moments": "read", "gradient_sums": "read", "gradient": "add"}
    rows, ratios = [], []
    for name in [n for n in rates if n.startswith("pointwise/")]:
        what, threads = name.removeprefix("pointwise/").split("/threads:")
        loop = "copy" if what.startswith("max_pool") else loops.get(what.split("/")[-1], "copy")
        rate = rates[f"stream/{loop}/threads:{threads}"]
        ratios.append(rates[name] / rate)
        rows.append([what, threads, f"{rates[name]:.1f}", f"{loop} {rate:.1f}", f"{ratios[-1]:.2f}"])
    print_table("What surrounds the convolutions, GB/s read and written",
                ["what", "threads", "mien", "loop", "mien / loop"], rows)
    print_mean(ratios)


def onednn38_share():
    """What oneDNN 3.8, which is no Debian package, reached as a part of the FMA peak: {(shape, pass): part}."""
    with open(HERE / "onednn38.csv", newline="") as file:
        return {(row["shape"], row["pass"]): float(row["part_of_peak"]) for row in csv.DictReader(file)}


def compare_conv2d(options):
    threads = options.threads
    end = f"threads:{threads}$"
    pattern = f"^conv2d/({options.filter})/.*/auto/{end}|^onednn/conv2d/({options.filter})/.*{end}"
    peak = median_rates(options, "gemm_benchmark", f"^peak/{end}", "GFLOP/s")[f"peak/threads:{threads}"]
    rates = median_rates(options, "conv2d_benchmark", pattern, "GFLOP/s")
    shares, rows, ratios = onednn38_share(), [], collections.defaultdict(list)
    for name in [n for n in rates if n.startswith("conv2d/")]:
        _, shape, which, *_ = name.split("/")
        onednn = rates.get(f"onednn/conv2d/{shape}/{which}/threads:{threads}", 0.0)
        newer = shares.get((shape, which), 0.0) * peak
        best = max(onednn, newer)
        if best == 0:
            continue
        ratio = rates[name] / best
        ratios[which].append(ratio)
        rows.append([shape, which, f"{rates[name]:.0f}", f"{onednn:.0f}", f"{newer:.0f}" if newer else "-", f"{ratio:.2f}"])
    print_table(f"Convolutions, effective GFLOP/s, {threads} threads, FMA peak {peak:.0f}",
                ["shape", "pass", "mien", "oneDNN 2.6", "oneDNN 3.8's part of the peak", "mien / best"], rows)
    for which, values in ratios.items():
        print(f"\n{which}:", end="")
        print_mean(values)
    print("\nall:", end="")
    print_mean([r for values in ratios.values() for r in values])


def pytorch_times(options, model, extra=()):
    command = [options.python, str(HERE / "pytorch_models.py"), "--model", model, "--threads", str(options.threads), *extra]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(ms) for name, ms in (line.split() for line in output.splitlines() if "/" in line)}


def onnxruntime_times(options, model, folder):
    if not options.onnxruntime:
        return {}
    file = pathlib.Path(folder) / f"{model}.onnx"
    if not file.exists():
        pytorch_times(options, model, ("--export", str(file)))
    command = ["node", str(HERE / "onnxruntime_models.cjs"), options.onnxruntime, model, str(file), str(options.threads)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(ms) for name, ms in (line.split() for line in output.splitlines())}


def compare_models(options):
    samples = collections.defaultdict(lambda: collections.defaultdict(list))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for model in options.models:
                ours = run_benchmark(options, "model_benchmark", f"/{model}/")
                for side, times in (("mien", {name: ms for name, (ms, _) in ours.items()}),
                                    ("pytorch", pytorch_times(options, model)),
                                    ("onnxruntime", onnxruntime_times(options, model, folder))):
                    for name, ms in times.items():
                        samples[name][side].append(ms)
    rows, ratios = [], collections.defaultdict(list)
    for name, sides in samples.items():
        ms = {side: statistics.median(values) for side, values in sides.items()}
        row = [name, f"{ms['mien']:.2f}"]
        for side in ("pytorch", "onnxruntime"):
            if side not in ms:
                row += ["-", "-"]
                continue
            ratio = ms[side] / ms["mien"]
            ratios[f"{name.split('/')[0]} against {side}"].append(ratio)
            row += [f"{ms[side]:.2f}", f"{ratio:.2f}"]
        rows.append(row)
    print_table("Networks, ms", ["what", "mien", "PyTorch", "PyTorch / mien", "ONNX Runtime", "ONNX Runtime / mien"], rows)
    for what, values in ratios.items():
        print(f"\n{what}:", end="")
        print_mean(values)


def peak_megabytes(command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"status {status}: {' '.join(command)}")
    return usage.ru_maxrss / 1024


def compare_memory(options):
    rows, ratios = [], []
    for model in options.models:
        ours = peak_megabytes([f"{options.build}/benchmarks/model_benchmark", f"--benchmark_filter=^train/{model}/"])
        theirs = peak_megabytes([options.python, str(HERE / "pytorch_models.py"), "--model", model, "--steps", "4",
                                 "--threads", str(options.threads), "--only", "train"])
        ratios.append(theirs / ours)
        rows.append([model, f"{ours:.0f}", f"{theirs:.0f}", f"{theirs / ours:.2f}", f"{ours / theirs:.2f}"])
    print_table("Peak resident size of a training process, MB", ["model", "mien", "PyTorch", "PyTorch / mien", "mien / PyTorch"], rows)
    print_mean(ratios)


MODELS = ["custom1", "custom2", "custom3", "vgg16", "resnet50", "vggface"]
SECTIONS = {"gemm": compare_gemm, "im2col": compare_im2col, "conv2d": compare_conv2d, "denormals": compare_denormals,
            "pointwise": compare_pointwise, "models": compare_models, "memory": compare_memory}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sections", nargs="+", choices=SECTIONS)
    arguments.add_argument("--build", default="build/release")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--filter", default=".*",
                           help="regular expression on what gemm, im2col, conv2d, denormals and pointwise time")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    arguments.add_argument("--onnxruntime", default="", help="folder with node_modules/onnxruntime-node")
    options = arguments.parse_args()
    options.python = os.environ.get("PYTHON", sys.executable)
    if options.rounds < 1 or options.threads < 1:
        arguments.error("--rounds and --threads are at least 1")
    # Ours take what the process may use: so do the opponents, and the processes that are started here.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:options.threads])
    for section in options.sections:
        SECTIONS[section](options)


if __name__ == "__main__":
    main()
