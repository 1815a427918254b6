"""Glue's transforms: classes whose `apply` calls a method of the DynamicFrame.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-transforms.html
"""

from typing import Any

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection
from awsglue.refusals import refuse


class GlueTransform:
    """What a script's own transforms derive from as well: `__call__` does the work, `apply` makes one and calls it."""

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        return cls().__call__(*args, **kwargs)

    @classmethod
    def name(cls) -> str:
        return cls.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        refuse(f"the transform {self.name()}", "use toDF() and DataFrames, which run here and on AWS alike")


class ApplyMapping(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.apply_mapping(*args, **kwargs)


class SelectFields(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.select_fields(*args, **kwargs)


class DropFields(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.drop_fields(*args, **kwargs)


class RenameField(GlueTransform):
    def __call__(self, frame: DynamicFrame, old_name: str, new_name: str, **kwargs: Any) -> DynamicFrame:
        return frame.rename_field(old_name, new_name, **kwargs)


class ResolveChoice(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.resolveChoice(*args, **kwargs)


class DropNullFields(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.drop_null_fields(*args, **kwargs)


class Filter(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.filter(*args, **kwargs)


class Map(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.map(*args, **kwargs)


class Join(GlueTransform):
    def __call__(
        self, frame1: DynamicFrame, frame2: DynamicFrame, keys1: Any, keys2: Any, **kwargs: Any
    ) -> DynamicFrame:
        return frame1.join(keys1, keys2, frame2, **kwargs)


class Repartition(GlueTransform):
    def __call__(self, frame: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        return frame.repartition(*args, **kwargs)


class SelectFromCollection(GlueTransform):
    def __call__(self, dfc: DynamicFrameCollection, key: str, transformation_ctx: str = "") -> DynamicFrame:
        return dfc.select(key)


#: Refused when a script uses them, not when it imports all that there is.
ErrorsAsDynamicFrame = type("ErrorsAsDynamicFrame", (GlueTransform,), {})
FlatMap = type("FlatMap", (GlueTransform,), {})
MapToCollection = type("MapToCollection", (GlueTransform,), {})
Relationalize = type("Relationalize", (GlueTransform,), {})
Spigot = type("Spigot", (GlueTransform,), {})
SplitFields = type("SplitFields", (GlueTransform,), {})
SplitRows = type("SplitRows", (GlueTransform,), {})
Unbox = type("Unbox", (GlueTransform,), {})
Union = type("Union", (GlueTransform,), {})
UnnestFrame = type("UnnestFrame", (GlueTransform,), {})
