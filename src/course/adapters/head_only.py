r"""Linear probing (feature-based use, Devlin et al. 2019, section 5.3): only the head is trained,
on the vectors of a frozen body.

$$\text{logits} = W_\text{head}\, f(x) + b_\text{head}$$

with the frozen body $f$. It has the parameters of the head and no others. It is an adapter without
deltas, so that it is stored and switched like all others.
"""

from dataclasses import dataclass

from peft.utils.constants import DUMMY_TARGET_MODULES

from course.adapters.tuner import DeltaConfig, DeltaLayer, DeltaModel, register


@dataclass
class HeadOnlyConfig(DeltaConfig):
    """The settings of linear probing: only ``modules_to_save`` can be chosen.

    Raises:
        ValueError: without ``modules_to_save``, for then nothing would be trained.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.target_modules = DUMMY_TARGET_MODULES
        if not self.modules_to_save:
            raise ValueError(
                "no modules_to_save: expected the names of the head's modules, such as "
                "['classifier']"
            )


class HeadOnlyModel(DeltaModel):
    prefix = "head_only_"
    tuner_layer_cls = DeltaLayer

    def delete_adapter(self, adapter_name: str) -> None:
        left = [name for name in (*self.active_adapters, *self.peft_config) if name != adapter_name]
        super().delete_adapter(adapter_name)
        # peft reads off its layers which adapter is active now, and here there are none
        if left:
            self.set_adapter(left[0])


register("head_only", HeadOnlyConfig, HeadOnlyModel)
