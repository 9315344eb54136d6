# The rules of check_layering.sh. Input: the files under include/mien; `prefix` is what their names begin with.

BEGIN {
  # layer: what it may include besides itself. The longest folder that matches a file is its layer.
  allow("base", "")
  allow("core", "base")
  allow("stb", "")
  allow("activations", "base core")
  allow("regularizers", "base core")
  allow("initializers", "base core")
  allow("kernels", "base core activations")
  allow("graph", "base core activations initializers regularizers")
  allow("io/formats", "base core stb")
  allow("layers", "base core activations initializers regularizers kernels graph")
  allow("losses", "base core activations initializers regularizers kernels graph")
  allow("metrics", allowed["losses"] " losses")
  allow("optimizers", allowed["losses"])
  allow("data", "base core activations kernels")
  allow("data/images", "base core stb activations kernels data")
  allow("model", "base core activations initializers regularizers kernels graph layers losses metrics optimizers data")
  allow("io", allowed["model"] " model io/formats")
  allow("applications", allowed["model"] " model")
  everything = allowed["io"] " io data/images applications"
  allow("tune", everything)
  allow("explain", everything)
  allow("report", everything " explain")
  allow("testing", everything " tune explain report")
  allow("compiled", everything)
  allow("umbrella", everything " tune explain report testing compiled")
}

function allow(layer, others) { allowed[layer] = " " layer " " others " " }

function layer_of(path,   folder) {
  if (path == "fwd.hpp" || path == "version.hpp") return "base"
  if (path !~ /\//) return "umbrella"
  for (folder = path; sub(/\/[^\/]*$/, "", folder);) if (folder in allowed) return folder
  return ""
}

function complain(what) {
  printf "%s:%d: %s\n", FILENAME, FNR, what
  violations++
}

FNR == 1 {
  path = substr(FILENAME, length(prefix) + 1)
  layer = layer_of(path)
  if (layer == "") complain("this folder has no place in the house: give it one in check_layering.awk")
}

{ sub(/\/\/.*/, "") }

/^ *# *include *[<"]|^ *# *define +MIEN_KERNEL_TEXT / {
  name = $0
  sub(/^[^<"]*[<"]/, "", name)
  sub(/[>"].*/, "", name)
  if ($0 ~ /"/) complain("includes are written <mien/...>")
  # check_headers.py relies on it.
  if (name ~ /_impl\.hpp$/ && path !~ /_impl\.hpp$/ && before !~ /^#if MIEN_DEFINES/)
    complain("definitions are included right below #if MIEN_DEFINES")
  if (name ~ /^mien\//) {
    other = layer_of(substr(name, 6))
    if (layer != "" && index(allowed[layer], " " other " ") == 0) complain(layer " must not include " name)
  }
  if (layer == "kernels" && name ~ /core\/(shape|tensor)/) complain("kernels know pointers and sizes only, not " name)
  if (path ~ /\.inl$/ && path !~ /for_each_isa/) complain("kernel text stands inside a region and includes nothing")
  if (name ~ /^nlohmann\// && layer != "io" && layer != "io/formats") complain("JSON is parsed in io/ only")
  if (name ~ /^stb/ && layer != "stb") complain("stb_image is included by stb/ only")
  if (name ~ /^Eigen\// && path !~ /^core\/eigen\.hpp$|^initializers\/orthogonal/) complain("Eigen stays behind core/eigen.hpp")
  if (name == "omp.h" && path != "core/parallel.hpp") complain("OpenMP is named in core/parallel.hpp only")
}

/^ *# *pragma +omp/ && path != "core/parallel.hpp" { complain("OpenMP is named in core/parallel.hpp only") }

/(^|[^A-Za-z0-9_])(std::(cout|cerr|clog)|(printf|fprintf|puts|abort|exit|terminate) *\()/ && path != "core/log.hpp" {
  complain("the library prints through core/log.hpp only and never ends the program")
}

{ before = $0 }

END { exit violations > 0 }
