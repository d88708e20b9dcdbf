"""Debian's torch 1.13 beside clients that expect torch 2: imported before them, it fills two gaps.

Two names are asked for on the way that this torch has not, or not under Python 3.11. Neither is used for one process that pickles its
model, so a placeholder will do; nothing of mlflow is touched.
"""
import sys
import types

import torch

# mlflow.pytorch.save_model asks for Dim before it looks whether it shall export the model or pickle it.
torch.export = sys.modules["torch.export"] = types.ModuleType("torch.export")
torch.export.Dim = None

# LightningModule registers two hooks for tensors that are spread over machines; their module does not load here.
sharded_tensor = types.ModuleType("torch.distributed._shard.sharded_tensor")
sharded_tensor.state_dict_hook = sharded_tensor.pre_load_state_dict_hook = lambda *_, **__: None
sys.modules["torch.distributed._shard"] = types.ModuleType("torch.distributed._shard")
sys.modules["torch.distributed._shard.sharded_tensor"] = sharded_tensor
