#!/usr/bin/env bash
# The example programs as a person meets them: check.sh FOLDER_OF_PROGRAMS
set -euo pipefail

programs=$(cd "$1" && pwd)
keras=$(cd "$(dirname "${BASH_SOURCE[0]}")/../references/keras_models" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  cat out err >&2
  exit 1
}
# succeeds NAME ARGUMENTS...: exit status 0 and nothing on the error output.
succeeds() {
  "$programs/$1" "${@:2}" >out 2>err || fail "$* gave status $?"
  [[ ! -s err ]] || fail "$* wrote to the error output"
}
# refuses WORDS NAME ARGUMENTS...: exit status 2, one line with these words on the error output.
refuses() {
  local words=$1 status=0
  shift
  "$programs/$1" "${@:2}" >out 2>err || status=$?
  [[ $status == 2 ]] || fail "$* gave status $status, not 2"
  [[ $(wc -l <err) == 1 ]] || fail "$* wrote $(wc -l <err) lines to the error output, not 1"
  grep -qF -- "$words" err || fail "$* did not say '$words'"
}
says() { grep -qE -- "$1" out || fail "'$1' is not in the output"; }

# The table of layers, without training.
succeeds emotions_train --summary --synthetic 16 --epochs 0 --out table
says '^Total params: '
says '^no epoch was trained$'
[[ -s table/model.safetensors && -s table/summary.txt ]] || fail "the run folder lacks a file"

# A tiny run: five files, the stated columns, epochs from 1 as the program prints them.
tiny=(--synthetic 20 --image-size 36 --epochs 2 --batch-size 8 --seed 3 --threads 1)
succeeds emotions_train "${tiny[@]}" --out run
says '^best epoch [12]: val_accuracy [01]\.[0-9]{4}, val_loss [0-9.]+$'
best=$(sed -n 's/^best epoch \([0-9]*\):.*, val_loss \(.*\)/\1 \2/p' out)
[[ $(ls run) == $'checkpoint.safetensors\nconfusion.csv\nhistory.csv\nmodel.safetensors\nsummary.txt' ]] ||
  fail "the run folder holds: $(ls run)"
[[ $(head -n 1 run/history.csv) == epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds ]] ||
  fail "the columns are $(head -n 1 run/history.csv)"
[[ $(tail -n +2 run/history.csv | cut -d, -f1 | tr '\n' ' ') == "1 2 " ]] || fail "the epochs are not 1 and 2"
in_file=$(awk -F, -v epoch="${best%% *}" '$1 == epoch { printf "%.4f", $4 }' run/history.csv)
[[ $in_file == "${best##* }" ]] || fail "best epoch and val_loss are $best, history.csv has $in_file"
refuses "--resume" emotions_train "${tiny[@]}" --out run
succeeds emotions_train "${tiny[@]}" --out run --resume
# What is refused changes nothing of the run; what is replaced leaves nothing of it.
cp -r run before
different=(--synthetic 20 --image-size 36 --epochs 2 --batch-size 8 --threads 1)
refuses "seed" emotions_train "${different[@]}" --seed 4 --out run --resume
refuses "another model" emotions_train "${tiny[@]}" --model custom1 --out run --resume
diff -r before run >out 2>err || fail "a refused --resume changed the run"
touch before/model.h5
succeeds emotions_train --synthetic 20 --image-size 36 --epochs 0 --out before --overwrite
[[ $(ls before) == $'confusion.csv\nmodel.safetensors\nsummary.txt' ]] || fail "beside the new run lie: $(ls before)"
succeeds emotions_train "${tiny[@]}" --out run --overwrite

# Pictures of our own: 36 x 36 BMP files of one colour (24 bits, 3 888 bytes of pixels, 54 of header).
picture() {
  {
    printf 'BM\x66\x0f\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x24\x00\x00\x00\x24\x00\x00\x00'
    printf '\x01\x00\x18\x00\x00\x00\x00\x00\x30\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
    head -c 3888 /dev/zero | tr '\0' "$2"
  } >"$1"
}
mkdir -p pictures/{angry,happy,sad} empty
for i in 1 2 3 4 5; do
  picture "pictures/angry/$i.bmp" '\020'
  picture "pictures/happy/$i.bmp" '\200'
  picture "pictures/sad/$i.bmp" '\360'
done
model=run/model.safetensors

# What training said of the validation pictures, from the file alone.
succeeds emotions_train --data pictures --validation pictures --image-size 36 --epochs 1 --threads 1 --keras --out own
says '^own/model\.h5 is for keras\.models\.load_model and takes rgb \* 0\.00392[0-9]* of pixels in 0 \.\.\. 255$'
stated=$(sed -n 's/^best epoch 1: val_accuracy \(.*\), val_loss \(.*\)/15 pictures: accuracy \1, loss \2/p' out)
matrix=$(sed -n '/pictures of/,/run folder/{/pictures of/d;/run folder/d;/^Epoch/d;/^own/d;p}' out)
succeeds emotions_evaluate --model own/model.safetensors --data pictures
says "^$stated\$"
[[ -n $matrix && $(cat out) == *"$matrix"* ]] || fail "the matrix of the evaluation is not that of the training:
$matrix"
# The same from the model that was left for Keras, whose file does not say what it takes.
succeeds emotions_evaluate --model own/model.h5 --data pictures --scale 1/255 --classes angry,happy,sad
says "^$stated\$"
for option in "--scale 1/255" "--offset 1" "--image-size 36" --grey "--classes angry,happy,sad"; do
  # shellcheck disable=SC2086
  refuses "${option%% *} is for models of Keras" emotions_evaluate --model own/model.safetensors --data pictures $option
done

# A weight that is no number is said: the table of an evaluation does not show it.
with_nan() {  # with_nan FROM TO: the last number of a safetensors file, a NaN
  cp "$1" "$2"
  printf '\0\0\300\177' | dd of="$2" bs=1 seek=$(($(stat -c %s "$2") - 4)) conv=notrunc status=none
}
with_nan own/model.safetensors nan.safetensors
"$programs/emotions_evaluate" --model nan.safetensors --data pictures >out 2>err || fail "weights with a NaN do not load"
grep -qE '^nan\.safetensors: of its weights 1 is NaN or infinite, the first of ' err || fail "a NaN is not said"

succeeds emotions_predict --model $model pictures/angry/1.bmp
says '^pictures/angry/1\.bmp  (angry|happy|sad) [0-9.]+ %  \((angry|happy|sad) [0-9.]+ %, (angry|happy|sad) [0-9.]+ %\)$'
succeeds emotions_predict --model $model --json pictures/angry/1.bmp pictures/sad/2.bmp
bad=0
echo "no picture" >text.jpg
"$programs/emotions_predict" --model $model --json pictures/angry/1.bmp text.jpg pictures/sad/2.bmp >out2 2>err || bad=$?
[[ $bad == 2 && $(wc -l <err) == 1 ]] || fail "a picture that cannot be read gave status $bad"
cmp out out2 || fail "a picture that cannot be read hides others"
if command -v python3 >/dev/null; then
  python3 -c '
import json
rows = json.load(open("out"))
assert [row["file"] for row in rows] == ["pictures/angry/1.bmp", "pictures/sad/2.bmp"]
for row in rows:
    p = row["probabilities"]
    assert list(p) == ["angry", "happy", "sad"] and abs(sum(p.values()) - 1) < 1e-5
    assert row["emotion"] == max(p, key=p.get)' || fail "the JSON is not as it should be"
fi

# A model of Keras says the same.
succeeds emotions_predict --model own/model.safetensors pictures/sad/1.bmp
cp out out2
succeeds emotions_predict --model own/model.h5 --scale 1/255 --classes angry,happy,sad pictures/sad/1.bmp
cmp out out2 || fail "the model that was left for Keras predicts something else"

# A base that is pretrained, imported, frozen, and fine-tuned: the same columns and the stage, and a run that was killed
# between its stages, or within the second, ends with the bits of one that was not.
small=(--image-size 32 --batch-size 8 --threads 1)
succeeds emotions_pretrain --synthetic 12 "${small[@]}" --epochs 1 --out base
[[ -s base/base.safetensors ]] || fail "the pretraining left no base.safetensors"
tuned=(emotions_finetune --weights base/base.safetensors --data pictures --validation pictures "${small[@]}" --head-epochs 2)
succeeds "${tuned[@]}" --epochs 2 --keras --out whole
says '^whole/model\.h5 is for keras\.models\.load_model and takes bgr - \(103\.939, 116\.779, 123\.68\) of pixels'
says 'computed once'
says '^stage head: highest val_accuracy'
[[ $(cut -d, -f1,2 whole/history.csv | tr '\n' ' ') == "epoch,stage 1,head 2,head 3,finetune 4,finetune " ]] ||
  fail "the rows of the stages are $(cut -d, -f1,2 whole/history.csv)"
stated=$(sed -n 's/^best epoch [1-4]: val_accuracy \(.*\), val_loss \(.*\)/15 pictures: accuracy \1, loss \2/p' out)
# With the batches of the training: which convolution rounds how depends on them.
succeeds emotions_evaluate --model whole/model.safetensors --data pictures --batch-size 8
says "^$stated\$"
cp -r whole killed
rm killed/checkpoint.safetensors
succeeds "${tuned[@]}" --epochs 2 --out killed --resume
same_run() {
  cmp whole/model.safetensors "$1/model.safetensors" || fail "the models of whole and $1 differ"
  cmp <(sed 's/,[^,]*$//' whole/history.csv) <(sed 's/,[^,]*$//' "$1/history.csv") || fail "the histories differ"
}
same_run killed
succeeds "${tuned[@]}" --epochs 1 --out killed --overwrite
succeeds "${tuned[@]}" --epochs 2 --out killed --resume
same_run killed
# The best epoch may be one of the head, if the second stage spoils it or has none; also for a run that is taken up.
# Its loss came from the features, which the whole model rounds in another way: it may differ by a thousandth part.
for options in "--epochs 1 --learning-rate 1" "--epochs 0"; do
  # shellcheck disable=SC2086
  succeeds "${tuned[@]}" $options --out spoilt --overwrite
  says '^best epoch [12]: val_accuracy'
  grep -E '^(highest|best epoch)' out >out2
  stated=$(sed -n 's/^best epoch [12]: val_accuracy \(.*\), val_loss \(.*\)/\1 \2/p' out)
  succeeds emotions_evaluate --model spoilt/model.safetensors --data pictures --batch-size 8
  says "^15 pictures: accuracy ${stated% *}, loss"
  sed -n 's/.*, loss //p' out | awk -v stated="${stated#* }" '{ exit !(($1 - stated)^2 <= (0.001 * stated)^2) }' ||
    fail "the kept weights are not those of the best epoch: $stated"
  # shellcheck disable=SC2086
  succeeds "${tuned[@]}" $options --out spoilt --resume
  cmp <(grep -E '^(highest|best epoch)' out) out2 || fail "a run that is taken up has another best epoch"
done
refuses "--resume" "${tuned[@]}" --out whole
refuses "no layer is meant" "${tuned[@]}" --unfreeze block9 --out x
refuses "vgg19" "${tuned[@]}" --model vgg19 --out x
refuses "no VGGFace" "${tuned[@]}" --model vggface --torchvision --out x
refuses "at least 48 x 48" "${tuned[@]}" --model vggface --out x
"$programs/${tuned[0]}" "${tuned[@]:1}" --model resnet50 --out x >out 2>err && fail "VGG16's weights fitted a ResNet50"
grep -qE "missing in the file +conv1_conv/kernel" err || fail "no table says what the weights lack"
# How pixels were prepared for the weights is in mien's own files, and so is which ResNet50 they are of.
says_base='^weights: taken to be trained on'
untrained=(emotions_finetune --data pictures "${small[@]}" --head-epochs 0 --epochs 0 --overwrite)
refuses "--torchvision: the model in" "${tuned[@]}" --torchvision --out x
succeeds "${untrained[@]}" --torchvision --out spoilt
cp spoilt/model.safetensors base/torch.safetensors
succeeds "${untrained[@]}" --weights base/torch.safetensors --out spoilt
says "$says_base \(rgb - \(123\.675, 116\.28, 103\.53\)\)"
succeeds "${untrained[@]}" --weights base/base.safetensors --out spoilt
says "$says_base bgr - \(103\.939, 116\.779, 123\.68\) of pixels in 0 \.\.\. 255\$"
succeeds "${untrained[@]}" --model resnet50 --torchvision --out spoilt
cp spoilt/model.safetensors base/torch.safetensors
refuses "--torchvision" "${untrained[@]}" --model resnet50 --weights base/torch.safetensors --out x
with_nan base/base.safetensors base/nan.safetensors
status=0
"$programs/emotions_finetune" --weights base/nan.safetensors --data pictures "${small[@]}" --out spoilt --overwrite \
  >out 2>err || status=$?
[[ $status == 2 ]] || fail "weights with a NaN gave status $status"
says '^weights: 1 value is NaN or infinite, the first of '
rm -r whole killed base spoilt

# A model of Keras: with more outputs than there are folders, then with a head for these.
succeeds emotions_evaluate --model "$keras/pictures.h5" --data pictures --image-size 36 --scale 1/255 --classes fear,angry,happy,sad
says '^15 pictures of angry, happy, sad: accuracy [01]\.[0-9]{4} over all 4 outputs, [01]\.[0-9]{4} among these 3$'
refuses "--classes" emotions_evaluate --model "$keras/pictures.h5" --data pictures --image-size 36 --classes angry,happy,sad
refuses ".input_shape" emotions_evaluate --model "$keras/pictures.h5" --data pictures --classes fear,angry,happy,sad
refuses "does not classify pictures" emotions_evaluate --model "$keras/nested_2.h5" --data pictures
refuses "train/ and validation/" keras_finetune --model "$keras/pictures.h5" --data pictures --image-size 36 --out x
mkdir faces
cp -r pictures faces/train
cp -r pictures faces/validation
succeeds keras_finetune --model "$keras/pictures.h5" --data faces --image-size 36 --scale 1/255 --head-epochs 1 --epochs 1 \
  --threads 1 --keras --out new/folder/tuned.safetensors
stated=$(sed -n 's/^15 pictures: accuracy \([0-9.]*\); written to new\/folder\/tuned.safetensors$/\1/p' out)
succeeds emotions_evaluate --model new/folder/tuned.safetensors --data pictures
says "^15 pictures: accuracy $stated, loss "
succeeds emotions_evaluate --model new/folder/model.h5 --data pictures --scale 1/255 --classes angry,happy,sad
says "^15 pictures: accuracy $stated, loss "
# Once more, the new head upon the one from before, whose name it cannot have.
succeeds keras_finetune --model new/folder/model.h5 --data faces --scale 1/255 --features head --head-epochs 1 --epochs 0 \
  --threads 1 --out twice.safetensors
succeeds emotions_evaluate --model twice.safetensors --data pictures
grep -q 'head_1/kernel' twice.safetensors
refuses "--keras would replace" keras_finetune --model new/folder/model.h5 --data faces --scale 1/255 --keras \
  --out new/folder/x
refuses "is safetensors" keras_finetune --model $model --data faces --out x

# What goes wrong is one line that says what.
refuses nowhere emotions_train --data nowhere --out x
refuses empty emotions_train --data empty --out x
refuses fear emotions_train --data pictures --classes angry,happy,fear --out x
refuses "--synthetic" emotions_train --data pictures --synthetic 20 --out x
refuses "--synthetic" emotions_train --out x
refuses "--colour" emotions_train --synthetic 20 --colour --out x
refuses custom9 emotions_train --synthetic 20 --model custom9 --out x
refuses "$PWD" emotions_train --synthetic 20 --epochs 0 --out "$PWD/out"
refuses text.jpg emotions_predict --model $model text.jpg
refuses none.jpg emotions_predict --model $model none.jpg
refuses text.jpg emotions_predict --model text.jpg pictures/sad/1.bmp
refuses "--model" emotions_predict pictures/sad/1.bmp
refuses nowhere emotions_evaluate --model $model --data nowhere
succeeds quickstart --help
says '^usage: quickstart'
for option in "--synthetic 0" "--synthetic abc" "--epochs -1" "--threads -1" "--learning-rate 0" "--learning-rate nan" \
  "--seed -1" "--batch-size 0" "--image-size 0"; do
  # shellcheck disable=SC2086
  refuses "${option% *}: expected a" emotions_train $option --out x
  grep -qF "got '${option#* }'" err || fail "what came instead of '$option' is not said"
done
refuses "at least 2" emotions_train --synthetic 20 --classes angry --out x
mkdir half
cp -r pictures half/validation
refuses "train/ and validation/" emotions_train --data half --image-size 36 --out x
refuses "train/ and validation/" emotions_finetune --data half --image-size 36 --out x
refuses "--batch-size" emotions_train --synthetic 20 --batch-size 100000000 --out large
refuses "finite loss" emotions_train --synthetic 20 --image-size 36 --epochs 3 --learning-rate 1e30 --out diverged
[[ ! -e diverged/model.safetensors ]] || fail "a model without a finite loss was written"
rm -r pictures/sad
refuses sad emotions_evaluate --model $model --data pictures
[[ ! -e x ]] || fail "a refused run left a folder"
echo "all as it should be"
