#pragma once

namespace tensorloom::test {

/// Programs that together touch every kind of operation, argument and initialiser. All take `x` float32 [B, 2, 8, 8] and
/// `target` int64 [B] of 4 classes, and have a `loss`.
inline constexpr const char* kPrograms[] = {
    // Convolution, batch norm, pooling, dropout.
    R"({"version":1,
      "inputs":[{"value":0,"name":"x","dtype":"float32","shape":["B",2,8,8],"node":"in"},{"value":1,"name":"target","dtype":"int64","shape":["B"],"node":"in"}],
      "weights":[
        {"value":2,"name":"conv.weight","dtype":"float32","shape":[4,2,3,3],"init":{"kind":"uniform","low":-0.23,"high":0.23},"trainable":true,"node":"conv"},
        {"value":3,"name":"bn.weight","dtype":"float32","shape":[4],"init":{"kind":"constant","value":1},"trainable":true,"node":"bn"},
        {"value":4,"name":"bn.bias","dtype":"float32","shape":[4],"init":{"kind":"constant","value":0},"trainable":true,"node":"bn"},
        {"value":5,"name":"bn.running_mean","dtype":"float32","shape":[4],"init":{"kind":"constant","value":0},"trainable":false,"node":"bn"},
        {"value":6,"name":"bn.running_var","dtype":"float32","shape":[4],"init":{"kind":"values","values":[1,1,1,1]},"trainable":false,"node":"bn"},
        {"value":7,"name":"fc.weight","dtype":"float32","shape":[4,64],"init":{"kind":"normal","mean":0,"std":0.1,"zeroRow":0},"trainable":true,"node":"fc"},
        {"value":8,"name":"fc.bias","dtype":"float32","shape":[4],"init":{"kind":"uniform","low":-0.1,"high":0.1,"zero":true},"trainable":true,"node":"fc"},
        {"value":9,"name":"bn.num_batches_tracked","dtype":"int64","shape":[],"init":{"kind":"constant","value":0},"trainable":false,"node":"bn"}],
      "ops":[
        {"op":"aten::conv2d","args":[{"v":0},{"v":2},null,1,1],"out":[10],"node":"conv"},
        {"op":"aten::add_.Scalar","args":[{"v":9},{"flag":"training"}],"out":[11],"node":"bn"},
        {"op":"aten::batch_norm","args":[{"v":10},{"v":3},{"v":4},{"v":5},{"v":6},{"flag":"training"},0.1,0.00001,true],"out":[12],"node":"bn"},
        {"op":"aten::relu","args":[{"v":12}],"out":[13],"node":"relu"},
        {"op":"aten::max_pool2d","args":[{"v":13},2],"out":[14],"node":"pool"},
        {"op":"aten::dropout","args":[{"v":14},0.25,{"flag":"training"}],"out":[15],"node":"drop"},
        {"op":"aten::flatten.using_ints","args":[{"v":15},1],"out":[16],"node":"flat"},
        {"op":"aten::linear","args":[{"v":16},{"v":7},{"v":8}],"out":[17],"node":"fc"},
        {"op":"aten::cross_entropy_loss","args":[{"v":17},{"v":1}],"out":[18],"node":"out"},
        {"op":"aten::argmax","args":[{"v":17},1],"out":[19],"node":"out"},
        {"op":"aten::eq.Tensor","args":[{"v":19},{"v":1}],"out":[20],"node":"out"},
        {"op":"aten::to.dtype","args":[{"v":20},"float32"],"out":[21],"node":"out"},
        {"op":"aten::mean","args":[{"v":21}],"out":[22],"node":"out"}],
      "outputs":[{"value":18,"name":"loss"},{"value":17,"name":"y"},{"value":22,"name":"accuracy"}]})",
    // Control flow on values, sizes known at run time, several results of one call.
    R"({"version":1,
      "inputs":[{"value":0,"name":"x","dtype":"float32","shape":["B",2,8,8],"node":"in"},{"value":1,"name":"target","dtype":"int64","shape":["B"],"node":"in"}],
      "weights":[
        {"value":2,"name":"a","dtype":"float32","shape":[32,32],"init":{"kind":"uniform","low":-0.17,"high":0.17},"trainable":true,"node":"a"},
        {"value":3,"name":"b","dtype":"float32","shape":[4,32],"init":{"kind":"uniform","low":-0.17,"high":0.17},"trainable":true,"node":"b"},
        {"value":4,"name":"w_ih","dtype":"float32","shape":[128,32],"init":{"kind":"uniform","low":-0.17,"high":0.17},"trainable":true,"node":"lstm"},
        {"value":5,"name":"w_hh","dtype":"float32","shape":[128,32],"init":{"kind":"uniform","low":-0.17,"high":0.17},"trainable":true,"node":"lstm"},
        {"value":6,"name":"h0","dtype":"float32","shape":[1,1,32],"init":{"kind":"constant","value":0},"trainable":false,"node":"lstm"}],
      "ops":[
        {"op":"aten::reshape","args":[{"v":0},{"ints":[{"size":[0,0]},-1,32]}],"out":[10],"node":"reshape"},
        {"op":"aten::new_zeros","args":[{"v":0},{"ints":[1,{"size":[0,0]},32]}],"out":[11],"node":"lstm"},
        {"op":"aten::lstm.input","args":[{"v":10},{"vs":[11,11]},{"vs":[4,5]},false,1,0,{"flag":"training"},false,true],"out":[12,13,14],"node":"lstm"},
        {"op":"aten::mean.dim","args":[{"v":12},{"ints":[1]},false],"out":[15],"node":"mean"},
        {"op":"repeat","init":[15],"times":3,"maxIterations":8,"node":"loop","out":[20],"blocks":[{"inputs":[16,17],"ops":[
            {"op":"aten::linear","args":[{"v":17},{"v":2},null],"out":[18],"node":"loop/a"},
            {"op":"aten::tanh","args":[{"v":18}],"out":[19],"node":"loop/tanh"}],"outputs":[19]}]},
        {"op":"aten::mean","args":[{"v":20}],"out":[21],"node":"cond"},
        {"op":"aten::gt.Scalar","args":[{"v":21},0],"out":[22],"node":"cond"},
        {"op":"if","cond":22,"node":"if","out":[25],"blocks":[
          {"inputs":[],"ops":[{"op":"aten::relu","args":[{"v":20}],"out":[23],"node":"if/relu"}],"outputs":[23]},
          {"inputs":[],"ops":[{"op":"aten::gelu","args":[{"v":20}],"out":[24],"node":"if/gelu"}],"outputs":[24]}]},
        {"op":"while","init":[25],"maxIterations":5,"limit":"stop","node":"while","out":[33],"blocks":[
          {"inputs":[26],"ops":[{"op":"aten::max","args":[{"v":26}],"out":[27],"node":"while/max"},{"op":"aten::gt.Scalar","args":[{"v":27},-100.5],"out":[28],"node":"while/gt"}],"outputs":[28]},
          {"inputs":[29],"ops":[{"op":"aten::add.Tensor","args":[{"v":29},{"v":20}],"out":[30],"node":"while/add"},{"op":"aten::mul.Scalar","args":[{"v":30},1.5],"out":[31],"node":"while/mul"}],"outputs":[31]}]},
        {"op":"aten::cat","args":[{"vs":[33,20]},1],"out":[34],"node":"cat"},
        {"op":"aten::narrow","args":[{"v":34},1,0,32],"out":[35],"node":"split"},
        {"op":"aten::narrow","args":[{"v":34},1,32,32],"out":[36],"node":"split"},
        {"op":"aten::add.Tensor","args":[{"v":35},{"v":36}],"out":[37],"node":"add"},
        {"op":"aten::linear","args":[{"v":37},{"v":3}],"out":[38],"node":"b"},
        {"op":"aten::cross_entropy_loss","args":[{"v":38},{"v":1}],"out":[39],"node":"out"}],
      "outputs":[{"value":39,"name":"loss"},{"value":38,"name":"y"}]})",
    // Attention, embedding, normalization, resizing.
    R"({"version":1,
      "inputs":[{"value":0,"name":"x","dtype":"float32","shape":["B",2,8,8],"node":"in"},{"value":1,"name":"target","dtype":"int64","shape":["B"],"node":"in"}],
      "weights":[
        {"value":2,"name":"emb","dtype":"float32","shape":[4,8],"init":{"kind":"normal","mean":0,"std":1},"trainable":true,"node":"emb"},
        {"value":3,"name":"ln.w","dtype":"float32","shape":[8],"init":{"kind":"constant","value":1},"trainable":true,"node":"ln"},
        {"value":4,"name":"ln.b","dtype":"float32","shape":[8],"init":{"kind":"constant","value":0},"trainable":true,"node":"ln"},
        {"value":5,"name":"fc","dtype":"float32","shape":[4,8],"init":{"kind":"uniform","low":-0.3,"high":0.3},"trainable":true,"node":"fc"},
        {"value":6,"name":"up","dtype":"float32","shape":[2,3,2,2],"init":{"kind":"uniform","low":-0.3,"high":0.3},"trainable":true,"node":"up"}],
      "ops":[
        {"op":"aten::avg_pool2d","args":[{"v":0},{"ints":[2,2]}],"out":[10],"node":"avg"},
        {"op":"aten::conv_transpose2d.input","args":[{"v":10},{"v":6},null,2],"out":[11],"node":"up"},
        {"op":"aten::group_norm","args":[{"v":11},3],"out":[12],"node":"gn"},
        {"op":"aten::silu","args":[{"v":12}],"out":[13],"node":"silu"},
        {"op":"aten::mean.dim","args":[{"v":13},{"ints":[1,2]}],"out":[14],"node":"mean"},
        {"op":"aten::embedding","args":[{"v":2},{"v":1}],"out":[15],"node":"emb"},
        {"op":"aten::mul.Scalar","args":[{"v":15},0.1],"out":[16],"node":"emb"},
        {"op":"aten::add.Tensor","args":[{"v":14},{"v":16}],"out":[17],"node":"add"},
        {"op":"aten::layer_norm","args":[{"v":17},{"ints":[8]},{"v":3},{"v":4}],"out":[18],"node":"ln"},
        {"op":"aten::reshape","args":[{"v":18},{"ints":[1,-1,2,4]}],"out":[19],"node":"heads"},
        {"op":"aten::transpose.int","args":[{"v":19},1,2],"out":[20],"node":"heads"},
        {"op":"aten::scaled_dot_product_attention","args":[{"v":20},{"v":20},{"v":20},null,0,false],"out":[21],"node":"attention"},
        {"op":"aten::transpose.int","args":[{"v":21},1,2],"out":[22],"node":"heads"},
        {"op":"aten::reshape","args":[{"v":22},{"ints":[-1,8]}],"out":[23],"node":"heads"},
        {"op":"aten::softmax.int","args":[{"v":23},1],"out":[24],"node":"softmax"},
        {"op":"aten::linear","args":[{"v":24},{"v":5}],"out":[25],"node":"fc"},
        {"op":"aten::one_hot","args":[{"v":1},4],"out":[26],"node":"out"},
        {"op":"aten::to.dtype","args":[{"v":26},"float32"],"out":[27],"node":"out"},
        {"op":"aten::binary_cross_entropy_with_logits","args":[{"v":25},{"v":27}],"out":[28],"node":"out"}],
      "outputs":[{"value":28,"name":"loss"},{"value":25,"name":"y"}]})",
    // Steps of a sequence, what they collect, training alone, rows that go different ways.
    R"({"version":1,
      "inputs":[{"value":0,"name":"x","dtype":"float32","shape":["B",2,8,8],"node":"in"},{"value":1,"name":"target","dtype":"int64","shape":["B"],"node":"in"}],
      "weights":[
        {"value":2,"name":"hh","dtype":"float32","shape":[8,8],"init":{"kind":"uniform","low":-0.3,"high":0.3},"trainable":true,"node":"cell"},
        {"value":3,"name":"a","dtype":"float32","shape":[4,8],"init":{"kind":"uniform","low":-0.3,"high":0.3},"trainable":true,"node":"a"},
        {"value":4,"name":"b","dtype":"float32","shape":[4,8],"init":{"kind":"uniform","low":-0.3,"high":0.3},"trainable":true,"node":"b"},
        {"value":5,"name":"places","dtype":"float32","shape":[16,8],"init":{"kind":"normal","mean":0,"std":0.1},"trainable":true,"node":"places"}],
      "ops":[
        {"op":"aten::reshape","args":[{"v":0},{"ints":[{"size":[0,0]},16,8]}],"out":[10],"node":"steps"},
        {"op":"aten::new_zeros","args":[{"v":0},{"ints":[{"size":[0,0]},8]},"float32"],"out":[11],"node":"cell"},
        {"op":"repeat","init":[11],"times":{"size":[10,1]},"scan":[[10,1]],"stack":[1,0],"reverse":true,"maxIterations":64,"node":"cell","out":[20,21,22],"blocks":[{"inputs":[12,13,14],"ops":[
            {"op":"aten::linear","args":[{"v":14},{"v":2},null],"out":[15],"node":"cell/hh"},
            {"op":"aten::embedding","args":[{"v":5},{"v":12}],"out":[16],"node":"cell/place"},
            {"op":"aten::add.Tensor","args":[{"v":13},{"v":15}],"out":[17],"node":"cell/add"},
            {"op":"aten::add.Tensor","args":[{"v":17},{"v":16}],"out":[18],"node":"cell/add"},
            {"op":"aten::tanh","args":[{"v":18}],"out":[19],"node":"cell/tanh"}],"outputs":[19,19,12]}]},
        {"op":"aten::mean.dim","args":[{"v":21},{"ints":[1]},false],"out":[23],"node":"mean"},
        {"op":"if","cond":{"flag":"training"},"node":"train","out":[26],"blocks":[
          {"inputs":[],"ops":[{"op":"aten::mul.Scalar","args":[{"v":23},0.5],"out":[24],"node":"train/half"}],"outputs":[24]},
          {"inputs":[],"ops":[{"op":"aten::mul.Scalar","args":[{"v":23},1],"out":[25],"node":"train/keep"}],"outputs":[25]}]},
        {"op":"aten::remainder.Scalar","args":[{"v":1},3],"out":[27],"node":"choice"},
        {"op":"switch","index":27,"args":[26,20],"node":"ways","out":[40,41],"blocks":[
          {"inputs":[28,29],"ops":[{"op":"aten::linear","args":[{"v":28},{"v":3},null],"out":[30],"node":"ways/a"}],"outputs":[30,29]},
          {"inputs":[31,32],"ops":[{"op":"aten::linear","args":[{"v":32},{"v":4},null],"out":[33],"node":"ways/b"}],"outputs":[33,31]},
          {"inputs":[34,35],"ops":[{"op":"aten::add.Tensor","args":[{"v":34},{"v":35}],"out":[36],"node":"ways/sum"},{"op":"aten::linear","args":[{"v":36},{"v":3},null],"out":[37],"node":"ways/a"}],"outputs":[37,36]}]},
        {"op":"aten::sum","args":[{"v":22}],"out":[42],"node":"count"},
        {"op":"aten::to.dtype","args":[{"v":42},"float32"],"out":[43],"node":"count"},
        {"op":"aten::mean","args":[{"v":41}],"out":[44],"node":"mean"},
        {"op":"aten::cross_entropy_loss","args":[{"v":40},{"v":1}],"out":[45],"node":"out"},
        {"op":"aten::add.Tensor","args":[{"v":45},{"v":44}],"out":[46],"node":"out"},
        {"op":"aten::add.Tensor","args":[{"v":46},{"v":43},0.001],"out":[47],"node":"out"}],
      "outputs":[{"value":47,"name":"loss"},{"value":40,"name":"y"}]})",
};

} // namespace tensorloom::test
