"""Small models with a head, of the architectures that the adapters know; their weights are random,
since only agreement is tested.
"""

import torch
from transformers import (
    AlbertConfig,
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    BloomConfig,
    DebertaConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    FalconConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    MixtralConfig,
    ModernBertConfig,
    MPNetConfig,
    OPTConfig,
    Phi3Config,
    PhiConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
    XLMRobertaConfig,
)

LAYERS, WIDTH, INNER = 2, 16, 24
_SIZE = {
    "vocab_size": 40,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": INNER,
}
CONFIGS = {
    "bert": lambda: BertConfig(**_SIZE, attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0),
    "gpt_neox": lambda: GPTNeoXConfig(**_SIZE, pad_token_id=0),
    "gpt2": lambda: GPT2Config(
        vocab_size=40,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=2,
        n_inner=INNER,
        pad_token_id=0,
        attn_pdrop=0.0,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
    ),
    "llama": lambda: LlamaConfig(**_SIZE, num_key_value_heads=2, pad_token_id=0),
    "qwen2": lambda: Qwen2Config(**_SIZE, num_key_value_heads=2, pad_token_id=0),
}
_CALM = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0}
_ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
_PAIRS = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
_GROUPS = {"num_key_value_heads": 1, "pad_token_id": 0}
#: Further architectures, each with what is peculiar to it.
MORE = {
    "roberta": lambda: RobertaConfig(**_SIZE, **_CALM, **_ENDS),
    "xlm-roberta": lambda: XLMRobertaConfig(**_SIZE, **_CALM, **_ENDS),
    "electra": lambda: ElectraConfig(**_SIZE, **_CALM, embedding_size=12),
    "mpnet": lambda: MPNetConfig(**_SIZE, **_CALM, **_ENDS),
    "deberta": lambda: DebertaConfig(**_SIZE, **_CALM, **_PAIRS),
    "deberta-v2": lambda: DebertaV2Config(
        **_SIZE,
        **_CALM,
        **_PAIRS,
        position_buckets=8,
        share_att_key=True,
        norm_rel_ebd="layer_norm",
    ),
    "distilbert": lambda: DistilBertConfig(
        vocab_size=40,
        dim=WIDTH,
        n_layers=LAYERS,
        n_heads=2,
        hidden_dim=INNER,
        dropout=0.0,
        attention_dropout=0.0,
        seq_classif_dropout=0.0,
    ),
    "albert": lambda: AlbertConfig(
        **_SIZE, **_CALM, embedding_size=12, classifier_dropout_prob=0.0
    ),
    "modernbert": lambda: ModernBertConfig(
        **_SIZE,
        **_ENDS,
        cls_token_id=1,
        sep_token_id=2,
        norm_bias=True,
        attention_bias=True,
        mlp_bias=True,
    ),
    "mistral": lambda: MistralConfig(**_SIZE, **_GROUPS, sliding_window=64),
    "qwen3": lambda: Qwen3Config(**_SIZE, **_GROUPS, head_dim=8),
    "mixtral": lambda: MixtralConfig(**_SIZE, **_GROUPS, num_local_experts=3),
    "gemma2": lambda: Gemma2Config(**_SIZE, **_GROUPS, head_dim=8),
    "phi": lambda: PhiConfig(**_SIZE, pad_token_id=0),
    "phi3": lambda: Phi3Config(**_SIZE, **_GROUPS),
    "falcon": lambda: FalconConfig(
        vocab_size=40,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        ffn_hidden_size=INNER,
        pad_token_id=0,
    ),
    "opt": lambda: OPTConfig(
        vocab_size=40,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        ffn_dim=INNER,
        word_embed_proj_dim=WIDTH,
        pad_token_id=0,
        dropout=0.0,
    ),
    "bloom": lambda: BloomConfig(
        vocab_size=40, hidden_size=WIDTH, n_layer=LAYERS, n_head=2, pad_token_id=0
    ),
    "mamba": lambda: MambaConfig(
        vocab_size=40, hidden_size=WIDTH, num_hidden_layers=LAYERS, state_size=4, pad_token_id=0
    ),
}
LOADERS = {
    "sequence": AutoModelForSequenceClassification,
    "tokens": AutoModelForTokenClassification,
    "span": AutoModelForQuestionAnswering,
    "language": AutoModelForCausalLM,
}


def new_model(
    kind: str, head: str = "sequence", body: int = 0, fresh: int = 0, labels: int = 3
) -> PreTrainedModel:
    """A model whose body is drawn with the seed ``body`` and whose head is drawn with the seed
    ``fresh``.
    """
    config = (CONFIGS | MORE)[kind]()
    config.num_labels = 2 if head == "span" else labels
    torch.manual_seed(body)
    model = LOADERS[head].from_config(config).eval()
    if head == "language":
        return model
    torch.manual_seed(fresh + 1000)
    parts = [module for name, module in model.named_children() if name != model.base_model_prefix]
    pooler = getattr(getattr(model, model.base_model_prefix), "pooler", None)
    for module in [*parts, *([pooler] if pooler else [])]:
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def batch(rows: int = 5, length: int = 7) -> dict[str, torch.Tensor]:
    """Token ids with some padding on the right."""
    torch.manual_seed(7)
    ids = torch.randint(1, 40, (rows, length))
    mask = torch.ones_like(ids)
    mask[0, -2:] = 0
    return {"input_ids": ids * mask, "attention_mask": mask}


def logits(model: torch.nn.Module, **inputs: torch.Tensor) -> torch.Tensor:
    """All logits of a model, those of start and end beside each other."""
    with torch.no_grad():
        found = model(**(inputs or batch()))
    return (
        found.logits if "logits" in found else torch.cat([found.start_logits, found.end_logits], -1)
    )


def shaken(model: torch.nn.Module, seed: int = 0, scale: float = 0.3) -> torch.nn.Module:
    """The model with noise on all trainable parameters, as if it had been trained."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(scale * torch.randn_like(parameter))
    return model
