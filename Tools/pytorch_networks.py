"""Networks of torchvision (`segmentation.fcn_resnet50` of its segmenters), and of timm (`timm.resnet50`), with random weights, and their gradients:
what the tools beside this file share."""
import torch, torchvision

NO_CNNS = ("vit_", "swin", "maxvit")
TRANSFORMERS = NO_CNNS + (
    "beit", "cait", "caformer", "coat", "convit", "crossvit", "davit", "deit", "edgenext", "efficientformer", "efficientvit", "fastvit", "focalnet", "gcvit",
    "gmlp", "hiera", "levit", "mixer", "mobilevit", "mvitv2", "nest", "nextvit", "pit", "poolformer", "pvt", "resmlp", "shvit", "swiftformer", "tiny_vit",
    "twins", "visformer", "xcit")
# What is 0, 1 or nearly so in them before training, and would hide a mistake: set to random numbers, around 0 and around one half.
AROUND_0 = ("pos_embed", "cls_token", "class_token", "reg_token", "dist_token", "relative_position", "attention_bias")
AROUND_HALF = ("gamma", "layer_scale", "temperature")


def names():
    """All of torchvision."""
    return [n for n in torchvision.models.list_models(module=torchvision.models) if not n.startswith(NO_CNNS)]


class Averaged(torch.nn.Module):
    """A segmenter whose answer is each class's mean over the picture."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x): return self.network(x)["out"].mean((2, 3))


def segmenters():
    """All of torchvision."""
    return [f"segmentation.{n}" for n in torchvision.models.list_models(module=torchvision.models.segmentation)]


def create(name):
    if name.startswith("segmentation."):
        return Averaged(torchvision.models.get_model(name.removeprefix("segmentation."), weights=None, weights_backbone=None))
    if name.startswith("timm."):
        import timm
        return timm.create_model(name.removeprefix("timm."), pretrained=False)
    # The initial weights of these are so small that their maps are nearly flat, and every pooling a tie.
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, **extra)


def parameters(name):
    """How many there are."""
    if name.startswith(("timm.", "segmentation.")): return sum(p.numel() for p in create(name).parameters())
    return torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]


def extent(name):
    """Height and width of the images that a network is tried on."""
    if name.startswith("timm."):
        import timm
        return timm.models.get_pretrained_cfg(name.removeprefix("timm.")).input_size[-1]
    return 299 if name == "inception_v3" else 224


def channels_first(maps):
    """[N,C,H,W], also of what a network holds as [N,H,W,C]: images are square, and so are their maps."""
    return maps.transpose(0, 3, 1, 2) if maps.shape[1] == maps.shape[2] != maps.shape[3] else maps


def is_transformer(name): return name.removeprefix("timm.").startswith(TRANSFORMERS)


def token_grid(shape):
    """Of tokens [1, N, C]: how many stand before a square grid, of at most 5, and the grid's side; None where they are no such tokens."""
    for prefix in range(6):
        side = round(max(shape[1] - prefix, 0) ** 0.5)
        if side > 1 and side * side == shape[1] - prefix: return prefix, side
    return None


def network(name, seed, size):
    """Random weights of the seed; batch norm's statistics differ from 0 and 1, so that folding them is tried."""
    torch.manual_seed(seed)
    model = create(name).train()
    if is_transformer(name):
        for parameter_name, parameter in model.named_parameters():
            if any(word in parameter_name for word in AROUND_0): torch.nn.init.normal_(parameter, 0, 0.3)
            if any(word in parameter_name for word in AROUND_HALF): torch.nn.init.normal_(parameter, 0.5, 0.2)
            # The last normalisation of a block, and the classifier of some.
            if parameter_name.endswith("weight") and not parameter.any(): torch.nn.init.normal_(parameter, 0, 0.3)
    for m in model.modules():
        if isinstance(m, torch.nn.Dropout): m.p = 0.0
        if isinstance(m, torch.nn.modules.batchnorm._BatchNorm): m.momentum = 0.5
    with torch.no_grad():
        for _ in range(2): model(torch.randn(4, 3, size, size))
    return model.eval().requires_grad_(False)


def gradient(model, x):
    """The derivative of the largest score by the image, and the scores."""
    # Channels last: of images with channels first PyTorch 2.15 gives LeViT and EfficientFormer a gradient that central differences contradict.
    x = x.clone(memory_format=torch.channels_last).requires_grad_(True)
    y = model(x)
    y.gather(1, y.argmax(1, keepdim=True)).sum().backward()
    return x.grad.numpy(), y.detach().numpy()
