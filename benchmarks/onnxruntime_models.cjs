// Times predictions of an ONNX file in ONNX Runtime: the opponent of model_benchmark's predict/<model>/batch:B.
//
//   node onnxruntime_models.cjs FOLDER MODEL FILE.onnx THREADS     FOLDER has node_modules/onnxruntime-node
const { createRequire } = require('module');
const path = require('path');

const [folder, model, file, threads] = process.argv.slice(2);
const ort = createRequire(path.resolve(folder) + '/')('onnxruntime-node');

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function main() {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: Number(threads), graphOptimizationLevel: 'all', executionMode: 'sequential',
  });
  const [size, batches] = model === 'vggface' ? [224, [1, 8]] : [48, [1, 32]];
  for (const batch of batches) {
    const data = Float32Array.from({ length: batch * 3 * size * size }, () => Math.random());
    const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [batch, 3, size, size]) };
    for (let i = 0; i < 3; ++i) await session.run(feeds);
    const times = [];
    for (let i = 0; i < (size > 100 ? 10 : 30); ++i) {
      const start = process.hrtime.bigint();
      await session.run(feeds);
      times.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
    console.log(`predict/${model}/batch:${batch} ${median(times).toFixed(3)}`);
  }
}
main();
