"""What Keras 1.2.2 refuses: definitions, weights and inputs that raise, with what it says."""

from keras.layers import (
    GRU,
    LSTM,
    Activation,
    AtrousConvolution1D,
    AtrousConvolution2D,
    AveragePooling1D,
    Bidirectional,
    Convolution1D,
    Convolution2D,
    Cropping1D,
    Cropping2D,
    Deconvolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Highway,
    InputLayer,
    LocallyConnected1D,
    LocallyConnected2D,
    Masking,
    MaxoutDense,
    MaxPooling1D,
    MaxPooling2D,
    Merge,
    Permute,
    RepeatVector,
    Reshape,
    SeparableConvolution2D,
    SimpleRNN,
    TimeDistributed,
    UpSampling1D,
    ZeroPadding1D,
)
from keras.models import Sequential
from make_files import chain, save_numbered
from make_refuse import Refusal, entry, graph, refusals, sequential
from make_write import floats


def refuse(name, *layers, shape=None):
    """A stack of layers that Keras refuses; made when the case is, since layers take numbers when they are made."""

    def build():
        made = [layer() for layer in layers]
        return sequential(*([InputLayer(input_shape=shape)] if shape else []), *made)

    refusals.cases.append(Refusal(name, build))


# Masks that a layer does not take
MASKED = (6, 3)
UNMASKED = {
    "dense": lambda: Dense(2),
    "convolution_1d": lambda: Convolution1D(2, 3),
    "atrous_convolution_1d": lambda: AtrousConvolution1D(2, 3),
    "locally_connected_1d": lambda: LocallyConnected1D(2, 3),
    "max_pooling_1d": MaxPooling1D,
    "average_pooling_1d": AveragePooling1D,
    "global_max_pooling_1d": GlobalMaxPooling1D,
    "global_average_pooling_1d": GlobalAveragePooling1D,
    "upsampling_1d": UpSampling1D,
    "zero_padding_1d": ZeroPadding1D,
    "cropping_1d": Cropping1D,
    "flatten": Flatten,
    "reshape": lambda: Reshape((3, 6)),
    "permute": lambda: Permute((2, 1)),
}
for name, layer in UNMASKED.items():
    refuse("mask_into_" + name, Masking, layer, shape=MASKED)
for name, layer in (("highway", Highway), ("maxout", lambda: MaxoutDense(2)), ("repeat", lambda: RepeatVector(2))):
    refuse("mask_into_" + name, Masking, layer, shape=(4,))
refuse("mask_through_dropout", Masking, lambda: Dropout(0.5), lambda: Activation("relu"), Flatten, shape=MASKED)
refuse("mask_through_lstm", Masking, lambda: LSTM(2, return_sequences=True), lambda: Dense(2), shape=MASKED)
refuse(
    "mask_through_bidirectional", Masking, lambda: Bidirectional(GRU(2, return_sequences=True)), Flatten, shape=MASKED
)
refuse("mask_of_words_into_flatten", lambda: Embedding(6, 3, mask_zero=True, input_length=4), Flatten)
refuse("mask_of_words_into_convolution", lambda: Embedding(6, 3, mask_zero=True), lambda: Convolution1D(2, 3))


def mask_into_model(inner):
    """A mask that would have to enter a nested model: its input layer refuses it."""
    return lambda: sequential(Masking(input_shape=MASKED), nested(inner()))


def nested(model):
    """A model as an entry of a definition."""
    return {"class_name": type(model).__name__, "config": model.get_config()}


def merged(mode, first, second, **arguments):
    """Two inputs through a layer each (or none), then a Merge."""

    def build():
        layers, ends = [], []
        for name, (shape, layer) in (("a", first), ("b", second)):
            layers.append((InputLayer(input_shape=shape, name=name), []))
            if layer:
                made = layer(name=name + "_layer")
                layers.append((made, [name]))
            ends.append(name + "_layer" if layer else name)
        return graph([*layers, (entry(Merge(mode="sum", name="end"), mode=mode, **arguments), ends)], ["end"])

    return build


def words(**options):
    """An Embedding with a mask."""
    return Embedding(6, 3, mask_zero=True, **options)


PLAIN, MASK, WORDS = (MASKED, None), (MASKED, Masking), ((6,), words)
for name, build in {
    "mask_into_sequential": mask_into_model(lambda: Sequential([LSTM(2, input_shape=MASKED)])),
    "mask_into_distributed_sequential": mask_into_model(
        lambda: Sequential([TimeDistributed(Dense(2), input_shape=MASKED)])
    ),
    "mask_into_merge_max": merged("max", MASK, MASK),
    "mask_into_merge_max_one": merged("max", MASK, PLAIN),
    "masks_of_two_kinds_sum": merged("sum", WORDS, MASK),
    "masks_of_two_kinds_concat": merged("concat", WORDS, MASK),
    "mask_of_words_beside_none_concat": merged("concat", WORDS, PLAIN),
    "merge_shapes_sum": merged("sum", ((4,), None), ((3,), None)),
    "merge_shapes_max": merged("max", ((4,), None), ((4, 4), None)),
    "merge_shapes_concat": merged("concat", ((4, 3), None), ((5, 3), None)),
    "merge_shapes_dot": merged("dot", ((4, 3), None), ((5, 2), None), dot_axes=2),
    "merge_unknown_mode": merged("minus", ((4,), None), ((4,), None)),
    "merge_dot_axes": merged("dot", ((4,), None), ((4,), None), dot_axes=[1]),
}.items():
    refusals.cases.append(Refusal(name, build))


def three_dotted():
    """A dot product of three tensors."""
    inputs = [(InputLayer(input_shape=(4,), name=name), []) for name in "abc"]
    return graph([*inputs, (Merge(mode="dot", name="end"), ["a", "b", "c"])], ["end"])


def bidirectional_unmerged():
    """Merge mode None without sequences: Keras counts one mask for two outputs."""
    x = InputLayer(input_shape=MASKED, name="x")
    return graph([(x, []), (Bidirectional(LSTM(2), merge_mode=None, name="both"), ["x"])], ["both"])


def no_such_input():
    """A reference to a layer that is not there."""
    return graph([(InputLayer(input_shape=(4,), name="x"), []), (Dense(2, name="y"), ["z"])], ["y"])


def no_such_output():
    """An output that is not there."""
    return graph([(InputLayer(input_shape=(4,), name="x"), []), (Dense(2, name="y"), ["x"])], ["z"])


def no_such_node():
    """A call that was never made."""
    definition = graph([(InputLayer(input_shape=(4,), name="x"), []), (Dense(2, name="y"), ["x"])], ["y"])
    definition["config"]["output_layers"] = [["y", 1, 0]]
    return definition


def same_names():
    """Two layers of one name."""
    x = InputLayer(input_shape=(4,), name="x")
    return graph([(x, []), (Dense(4, name="twin"), ["x"]), (Activation("relu", name="twin"), ["twin"])], ["twin"])


for build in (same_names, three_dotted, bidirectional_unmerged, no_such_input, no_such_output, no_such_node):
    refusals.cases.append(Refusal(build.__name__, build))

# Shapes that do not fit
IMAGE = (5, 5, 2)
for name, layer, shape in [
    ("flatten_vector", Flatten, (4,)),
    ("flatten_open", Flatten, (None, 4)),
    ("reshape_other_size", lambda: Reshape((5, 2)), (4, 3)),
    ("reshape_two_open", lambda: Reshape((-1, -1)), (4, 3)),
    ("reshape_not_divisible", lambda: Reshape((-1, 5)), (4, 3)),
    ("permute_rank", lambda: Permute((2, 1)), (4, 3, 2)),
    ("repeat_matrix", lambda: RepeatVector(3), (4, 3)),
    ("softmax_4d", lambda: Activation("softmax"), (4, 3, 2)),
    ("softmax_convolution", lambda: Convolution2D(2, 2, 2, activation="softmax"), IMAGE),
    ("convolution_1d_of_image", lambda: Convolution1D(2, 2), IMAGE),
    ("convolution_2d_of_sequence", lambda: Convolution2D(2, 2, 2), (5, 2)),
    ("convolution_2d_kernel_too_large", lambda: Convolution2D(2, 6, 6), IMAGE),
    ("pooling_2d_of_sequence", MaxPooling2D, (5, 2)),
    ("pooling_2d_too_large", lambda: MaxPooling2D((6, 6)), IMAGE),
    ("lstm_of_vector", lambda: LSTM(2), (4,)),
    ("lstm_of_image", lambda: LSTM(2), IMAGE),
    ("lstm_unroll_open", lambda: LSTM(2, unroll=True), (None, 3)),
    ("lstm_stateful_open_batch", lambda: LSTM(2, stateful=True), (4, 3)),
    ("simple_rnn_stateful_open_batch", lambda: SimpleRNN(2, stateful=True), (4, 3)),
    ("bidirectional_of_vector", lambda: Bidirectional(LSTM(2)), (4,)),
    ("time_distributed_vector", lambda: TimeDistributed(Dense(2)), (4,)),
    ("locally_connected_1d_open", lambda: LocallyConnected1D(2, 2), (None, 3)),
    ("locally_connected_2d_open", lambda: LocallyConnected2D(2, 2, 2), (None, None, 2)),
    ("crop_2d_of_sequence", Cropping2D, (5, 2)),
    ("highway_matrix", Highway, (4, 3)),
    ("maxout_matrix", lambda: MaxoutDense(2), (4, 3)),
]:
    refuse(name, layer, shape=shape)
refuse("no_input_shape", lambda: Dense(2))

# Arguments that Keras on TensorFlow does not take
for name, layer, changes, shape in [
    ("convolution_1d_full", lambda: Convolution1D(2, 2), {"border_mode": "full"}, (5, 2)),
    ("convolution_2d_full", lambda: Convolution2D(2, 2, 2), {"border_mode": "full"}, IMAGE),
    ("convolution_2d_border", lambda: Convolution2D(2, 2, 2), {"border_mode": "reflect"}, IMAGE),
    ("convolution_2d_ordering", lambda: Convolution2D(2, 2, 2), {"dim_ordering": "nchw"}, IMAGE),
    ("pooling_1d_full", MaxPooling1D, {"border_mode": "full"}, (5, 2)),
    ("pooling_2d_border", MaxPooling2D, {"border_mode": "full"}, IMAGE),
    ("locally_connected_1d_same", lambda: LocallyConnected1D(2, 2), {"border_mode": "same"}, (5, 2)),
    ("locally_connected_2d_same", lambda: LocallyConnected2D(2, 2, 2), {"border_mode": "same"}, IMAGE),
    ("separable_full", lambda: SeparableConvolution2D(2, 2, 2), {"border_mode": "full"}, IMAGE),
    ("atrous_1d_stride", lambda: AtrousConvolution1D(2, 2, atrous_rate=2), {"subsample_length": 2}, (7, 2)),
    ("atrous_2d_stride", lambda: AtrousConvolution2D(2, 2, 2, atrous_rate=(2, 2)), {"subsample": [2, 2]}, IMAGE),
    ("atrous_2d_unequal_rates", lambda: AtrousConvolution2D(2, 2, 2), {"atrous_rate": [1, 2]}, IMAGE),
    ("unknown_activation", lambda: Dense(2), {"activation": "swish"}, (4,)),
    ("unknown_init", lambda: Dense(2), {"init": "magic"}, (4,)),
    ("zero_padding_1d_key", ZeroPadding1D, {"padding": {"top_pad": 1}}, (5, 2)),
    ("zero_padding_1d_length", ZeroPadding1D, {"padding": [1, 2, 3]}, (5, 2)),
    ("cropping_1d_length", Cropping1D, {"cropping": [1]}, (5, 2)),
    ("bidirectional_mode", lambda: Bidirectional(LSTM(2)), {"merge_mode": "max"}, (4, 3)),
]:
    refuse(name, lambda layer=layer, changes=changes: entry(layer(), **changes), shape=shape)
refuse("unknown_class", lambda: {"class_name": "Improbable", "config": {"name": "x"}}, shape=(4,))


# Weights that do not fit, and inputs
def pair():
    """Two dense layers."""
    return sequential(Dense(4, input_dim=4, name="a"), Dense(2, name="b"))


def inputs(*shapes):
    """Random inputs."""
    return lambda rng: [floats(rng, shape) for shape in shapes]


def no_bias():
    """The same layers, one without bias."""
    return Sequential([Dense(4, input_dim=4, bias=False, name="a"), Dense(2, name="b")])


def other_units():
    """The same layers, one of another size."""
    return Sequential([Dense(3, input_dim=4, name="a"), Dense(2, name="b")])


for by_name in (False, True):
    prefix = "by_name_" if by_name else "weights_"
    for name, source in (("fewer_arrays", no_bias), ("other_shape", other_units)):
        refusals.cases.append(Refusal(prefix + name, pair, source=source, by_name=by_name))
    refusals.cases.append(
        Refusal(prefix + "numbered", pair, source=lambda: chain("a", "b", "c"), save=save_numbered, by_name=by_name)
    )
refusals.cases += [
    Refusal("weights_more_layers", pair, source=lambda: chain("a", "b", "c")),
    Refusal("weights_fewer_layers", pair, source=lambda: chain("a")),
    Refusal("predict_other_width", pair, inputs=inputs((3, 5))),
    Refusal("predict_other_rank", pair, inputs=inputs((3, 4, 4))),
    Refusal("predict_two_inputs", pair, inputs=inputs((3, 4), (3, 4))),
    Refusal("predict_one_input", merged("sum", ((4,), None), ((4,), None)), inputs=inputs((3, 4))),
    Refusal("predict_unequal_rows", merged("sum", ((4,), None), ((4,), None)), inputs=inputs((3, 4), (2, 4))),
    Refusal("predict_image_size", lambda: sequential(Flatten(input_shape=(3, 3, 1))), inputs=inputs((2, 3, 4, 1))),
    Refusal(
        "predict_stateful_batch",
        lambda: sequential(LSTM(2, stateful=True, batch_input_shape=(2, 4, 3))),
        inputs=inputs((3, 4, 3)),
    ),
    Refusal(
        "predict_separable_unequal_strides",
        lambda: sequential(SeparableConvolution2D(2, 2, 2, subsample=(1, 2), input_shape=(5, 5, 2))),
        inputs=inputs((2, 5, 5, 2)),
    ),
    Refusal(
        "predict_word_too_high",
        lambda: sequential(Embedding(6, 3, input_length=2)),
        inputs=lambda rng: [rng.randint(6, 9, (2, 2))],
    ),
    Refusal(
        "predict_negative_word",
        lambda: sequential(Embedding(6, 3, input_length=2)),
        inputs=lambda rng: [-rng.randint(1, 3, (2, 2))],
    ),
    Refusal(
        "predict_deconvolution_size",
        lambda: sequential(Deconvolution2D(2, 3, 3, output_shape=(None, 9, 9, 2), input_shape=(3, 3, 1))),
        inputs=inputs((2, 3, 3, 1)),
    ),
]

FAMILIES = [refusals]
