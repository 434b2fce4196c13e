import { abs } from "./abs.ts";
import { adaptiveAvgPool1d } from "./adaptive_avg_pool1d.ts";
import { adaptiveAvgPool2d } from "./adaptive_avg_pool2d.ts";
import { adaptiveAvgPool3d } from "./adaptive_avg_pool3d.ts";
import { adaptiveMaxPool1d } from "./adaptive_max_pool1d.ts";
import { adaptiveMaxPool2d } from "./adaptive_max_pool2d.ts";
import { add } from "./add.ts";
import { alphaDropout } from "./alpha_dropout.ts";
import { arange } from "./arange.ts";
import { argmax } from "./argmax.ts";
import { argmin } from "./argmin.ts";
import { attentionPool } from "./attention_pool.ts";
import { avgPool1d } from "./avg_pool1d.ts";
import { avgPool2d } from "./avg_pool2d.ts";
import { avgPool3d } from "./avg_pool3d.ts";
import { batchNorm1d } from "./batch_norm1d.ts";
import { batchNorm2d } from "./batch_norm2d.ts";
import { batchNorm3d } from "./batch_norm3d.ts";
import { bilinear } from "./bilinear.ts";
import { block } from "./block.ts";
import { bmm } from "./bmm.ts";
import { breakpoint } from "./breakpoint.ts";
import { cast } from "./cast.ts";
import { causalMask } from "./causal_mask.ts";
import { celu } from "./celu.ts";
import { channelShuffle } from "./channel_shuffle.ts";
import { chunk } from "./chunk.ts";
import { clamp } from "./clamp.ts";
import { classToken } from "./class_token.ts";
import { colorJitter } from "./color_jitter.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import { convTranspose1d } from "./conv_transpose1d.ts";
import { convTranspose2d } from "./conv_transpose2d.ts";
import { convTranspose3d } from "./conv_transpose3d.ts";
import { conv1d } from "./conv1d.ts";
import { conv2d } from "./conv2d.ts";
import { conv3d } from "./conv3d.ts";
import { cos } from "./cos.ts";
import { cosineSimilarity } from "./cosine_similarity.ts";
import { cumsum } from "./cumsum.ts";
import { depthwiseConv2d } from "./depthwise_conv2d.ts";
import { detach } from "./detach.ts";
import { div } from "./div.ts";
import { dropPath } from "./drop_path.ts";
import { dropout } from "./dropout.ts";
import { dropout1d } from "./dropout1d.ts";
import { dropout2d } from "./dropout2d.ts";
import { dropout3d } from "./dropout3d.ts";
import { earlyExit } from "./early_exit.ts";
import { einsum } from "./einsum.ts";
import { elu } from "./elu.ts";
import { embedding } from "./embedding.ts";
import { embeddingBag } from "./embedding_bag.ts";
import { equal } from "./equal.ts";
import { exp } from "./exp.ts";
import { expand } from "./expand.ts";
import { expression } from "./expression.ts";
import { featureAlphaDropout } from "./feature_alpha_dropout.ts";
import { flatten } from "./flatten.ts";
import { flip } from "./flip.ts";
import { fold } from "./fold.ts";
import { forEachStep } from "./for_each_step.ts";
import { gather } from "./gather.ts";
import { gaussianNoise } from "./gaussian_noise.ts";
import { gelu } from "./gelu.ts";
import { globalAvgPool } from "./global_avg_pool.ts";
import { glu } from "./glu.ts";
import { gradientReversal } from "./gradient_reversal.ts";
import { greater } from "./greater.ts";
import { greaterEqual } from "./greater_equal.ts";
import { groupNorm } from "./group_norm.ts";
import { gru } from "./gru.ts";
import { gruCell } from "./gru_cell.ts";
import { hardshrink } from "./hardshrink.ts";
import { hardsigmoid } from "./hardsigmoid.ts";
import { hardswish } from "./hardswish.ts";
import { hardtanh } from "./hardtanh.ts";
import { identity } from "./identity.ts";
import { ifZone } from "./if.ts";
import { indexSelect } from "./index_select.ts";
import { input } from "./input.ts";
import { instanceNorm1d } from "./instance_norm1d.ts";
import { instanceNorm2d } from "./instance_norm2d.ts";
import { instanceNorm3d } from "./instance_norm3d.ts";
import type { Layer } from "./kit.ts";
import { l2Normalize } from "./l2_normalize.ts";
import { lastStep } from "./last_step.ts";
import { layerNorm } from "./layer_norm.ts";
import { leakyRelu } from "./leaky_relu.ts";
import { less } from "./less.ts";
import { lessEqual } from "./less_equal.ts";
import { linear } from "./linear.ts";
import { localResponseNorm } from "./local_response_norm.ts";
import { log } from "./log.ts";
import { logSigmoid } from "./log_sigmoid.ts";
import { logSoftmax } from "./log_softmax.ts";
import { logicalAnd } from "./logical_and.ts";
import { logicalNot } from "./logical_not.ts";
import { logicalOr } from "./logical_or.ts";
import { logsumexp } from "./logsumexp.ts";
import { lstm } from "./lstm.ts";
import { lstmCell } from "./lstm_cell.ts";
import { maskedMean } from "./masked_mean.ts";
import { matmul } from "./matmul.ts";
import { max } from "./max.ts";
import { maxPool1d } from "./max_pool1d.ts";
import { maxPool2d } from "./max_pool2d.ts";
import { maxPool3d } from "./max_pool3d.ts";
import { maximum } from "./maximum.ts";
import { mean } from "./mean.ts";
import { min } from "./min.ts";
import { minimum } from "./minimum.ts";
import { mish } from "./mish.ts";
import { mul } from "./mul.ts";
import { multiheadAttention } from "./multihead_attention.ts";
import { neg } from "./neg.ts";
import { norm } from "./norm.ts";
import { notEqual } from "./not_equal.ts";
import { oneHot } from "./one_hot.ts";
import { ones } from "./ones.ts";
import { output } from "./output.ts";
import { pad } from "./pad.ts";
import { paddingMask } from "./padding_mask.ts";
import { pairwiseDistance } from "./pairwise_distance.ts";
import { parameter } from "./parameter.ts";
import { patchEmbed } from "./patch_embed.ts";
import { permute } from "./permute.ts";
import { pixelShuffle } from "./pixel_shuffle.ts";
import { pixelUnshuffle } from "./pixel_unshuffle.ts";
import { pointwiseConv } from "./pointwise_conv.ts";
import { positionalEncoding } from "./positional_encoding.ts";
import { pow } from "./pow.ts";
import { prelu } from "./prelu.ts";
import { probe } from "./probe.ts";
import { prod } from "./prod.ts";
import { randomAffine } from "./random_affine.ts";
import { randomCrop } from "./random_crop.ts";
import { randomErasing } from "./random_erasing.ts";
import { randomHorizontalFlip } from "./random_horizontal_flip.ts";
import { randomNormal } from "./random_normal.ts";
import { randomRotation } from "./random_rotation.ts";
import { randomUniform } from "./random_uniform.ts";
import { randomVerticalFlip } from "./random_vertical_flip.ts";
import { reciprocal } from "./reciprocal.ts";
import { relu } from "./relu.ts";
import { relu6 } from "./relu6.ts";
import { reparameterize } from "./reparameterize.ts";
import { repeatZone } from "./repeat.ts";
import { reroute } from "./reroute.ts";
import { reshape } from "./reshape.ts";
import { residual } from "./residual.ts";
import { rmsNorm } from "./rms_norm.ts";
import { rnn } from "./rnn.ts";
import { rnnCell } from "./rnn_cell.ts";
import { roll } from "./roll.ts";
import { rotaryEmbedding } from "./rotary_embedding.ts";
import { rrelu } from "./rrelu.ts";
import { scaledDotProductAttention } from "./scaled_dot_product_attention.ts";
import { select } from "./select.ts";
import { selu } from "./selu.ts";
import { separableConv2d } from "./separable_conv2d.ts";
import { sigmoid } from "./sigmoid.ts";
import { silu } from "./silu.ts";
import { sin } from "./sin.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { softmin } from "./softmin.ts";
import { softplus } from "./softplus.ts";
import { softshrink } from "./softshrink.ts";
import { softsign } from "./softsign.ts";
import { sort } from "./sort.ts";
import { split } from "./split.ts";
import { sqrt } from "./sqrt.ts";
import { squeeze } from "./squeeze.ts";
import { stack } from "./stack.ts";
import { stackTensors } from "./stack_tensors.ts";
import { std } from "./std.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";
import { swiglu } from "./swiglu.ts";
import { switchZone } from "./switch.ts";
import { tanh } from "./tanh.ts";
import { target } from "./target.ts";
import { threshold } from "./threshold.ts";
import { tile } from "./tile.ts";
import { topk } from "./topk.ts";
import { transformerDecoder } from "./transformer_decoder.ts";
import { transformerDecoderLayer } from "./transformer_decoder_layer.ts";
import { transformerEncoder } from "./transformer_encoder.ts";
import { transformerEncoderLayer } from "./transformer_encoder_layer.ts";
import { transpose } from "./transpose.ts";
import { unflatten } from "./unflatten.ts";
import { unfold } from "./unfold.ts";
import { unsqueeze } from "./unsqueeze.ts";
import { upsample } from "./upsample.ts";
import { variance } from "./var.ts";
import { where } from "./where.ts";
import { whileZone } from "./while.ts";
import { zeros } from "./zeros.ts";

/** Every kind of node, in the order the palette shows them within their category. */
export const layers: readonly Layer[] = [
  input,
  output,
  target,
  constant,
  parameter,
  zeros,
  ones,
  arange,
  randomNormal,
  randomUniform,
  probe,
  breakpoint,
  conv2d,
  conv1d,
  conv3d,
  convTranspose2d,
  convTranspose1d,
  convTranspose3d,
  depthwiseConv2d,
  pointwiseConv,
  separableConv2d,
  unfold,
  fold,
  linear,
  bilinear,
  relu,
  relu6,
  leakyRelu,
  prelu,
  rrelu,
  elu,
  selu,
  celu,
  gelu,
  silu,
  mish,
  hardswish,
  glu,
  swiglu,
  sigmoid,
  hardsigmoid,
  logSigmoid,
  tanh,
  hardtanh,
  softsign,
  softplus,
  softmax,
  logSoftmax,
  softmin,
  softshrink,
  hardshrink,
  threshold,
  batchNorm2d,
  batchNorm1d,
  batchNorm3d,
  layerNorm,
  rmsNorm,
  groupNorm,
  instanceNorm2d,
  instanceNorm1d,
  instanceNorm3d,
  l2Normalize,
  localResponseNorm,
  maxPool2d,
  maxPool1d,
  maxPool3d,
  avgPool2d,
  avgPool1d,
  avgPool3d,
  adaptiveAvgPool2d,
  adaptiveAvgPool1d,
  adaptiveAvgPool3d,
  adaptiveMaxPool2d,
  adaptiveMaxPool1d,
  globalAvgPool,
  embedding,
  embeddingBag,
  lstm,
  gru,
  rnn,
  lstmCell,
  gruCell,
  rnnCell,
  lastStep,
  maskedMean,
  attentionPool,
  multiheadAttention,
  scaledDotProductAttention,
  transformerEncoderLayer,
  transformerEncoder,
  transformerDecoderLayer,
  transformerDecoder,
  positionalEncoding,
  rotaryEmbedding,
  paddingMask,
  causalMask,
  patchEmbed,
  classToken,
  flatten,
  unflatten,
  reshape,
  permute,
  transpose,
  squeeze,
  unsqueeze,
  expand,
  tile,
  concat,
  stackTensors,
  split,
  chunk,
  slice,
  select,
  gather,
  indexSelect,
  pad,
  roll,
  flip,
  upsample,
  pixelShuffle,
  pixelUnshuffle,
  channelShuffle,
  identity,
  reroute,
  add,
  sub,
  mul,
  div,
  expression,
  matmul,
  bmm,
  einsum,
  pow,
  sqrt,
  exp,
  log,
  abs,
  neg,
  sin,
  cos,
  reciprocal,
  clamp,
  maximum,
  minimum,
  greater,
  greaterEqual,
  less,
  lessEqual,
  equal,
  notEqual,
  logicalAnd,
  logicalOr,
  logicalNot,
  where,
  cast,
  oneHot,
  mean,
  sum,
  max,
  min,
  prod,
  std,
  variance,
  norm,
  logsumexp,
  argmax,
  argmin,
  topk,
  sort,
  cumsum,
  cosineSimilarity,
  pairwiseDistance,
  reparameterize,
  detach,
  gradientReversal,
  dropout,
  dropout2d,
  dropout1d,
  dropout3d,
  alphaDropout,
  featureAlphaDropout,
  dropPath,
  gaussianNoise,
  randomCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
  randomRotation,
  randomAffine,
  colorJitter,
  randomErasing,
  ifZone,
  switchZone,
  earlyExit,
  whileZone,
  repeatZone,
  forEachStep,
  block,
  residual,
  stack,
];

const byType = new Map(layers.map((layer) => [layer.type, layer]));

/** The layer of this type, or nothing where this build has none. */
export function findLayer(type: string): Layer | undefined {
  return byType.get(type);
}
