"""Which module holds each public name: read by editors and, through ``lazy_loader``, by ``__init__.py``."""

from .assets import card, cards, recorded
from .data.abdomen import draw_abdomen
from .data.abdomen_anatomy import ABDOMEN_CLASSES
from .data.catalogue import load
from .data.cohorts import draw_cohort, split_by_image
from .data.domains import white_cell_domains
from .data.drawn_molecules import draw_molecules
from .data.drawn_nuclei import draw_nuclei
from .data.duplicates import find_duplicates, without_duplicates
from .data.folders import load_folder
from .data.image_tasks import ImageTask
from .data.marks import draw_marked_ultrasound, plant_marks
from .data.masks import MaskTask, few_masks
from .data.molecule_splits import few_molecules, split_molecules
from .data.molecules import DESCRIPTORS, MOLECULE_ATOMS, MoleculeTask
from .data.own_masks import load_masks
from .data.own_molecules import load_molecules
from .data.own_sequences import load_sequences
from .data.own_texts import load_texts
from .data.patients import split_by_patient
from .data.phantoms import draw
from .data.pretraining import held_out_task
from .data.report_grammar import draw_reports
from .data.sequences import letters, one_hot, reverse_complement
from .data.shifts import SCANNERS, Scanner, assay_shift
from .data.splice_sites import draw_splice_sites, published_frequencies
from .data.tasks import Split, Task, few_shot, split_table
from .data.text_tasks import TextTask
from .data.tokens import texts, tokens
from .data.transfer_tables import transfer_tables
from .data.volumes import draw_volumes
from .data.word_pieces import WordPieces
from .devices import budget, describe, device, seed_everything
from .methods.accountant import epsilon, noise_for
from .methods.adabn import adapt_batch_norm
from .methods.adapters import adapters, bitfit, soft_prompt
from .methods.align import coral, coral_loss, mmd_loss
from .methods.aligned_training import fit_aligned
from .methods.attacks import attack_curve, lira, loss_attack, membership_scores, tpr_at
from .methods.augment import augment
from .methods.auto_transfer import auto_transfer
from .methods.cache import fit_cached
from .methods.calibration import recalibrate_intercept, recalibrate_slope
from .methods.calibration_line import calibration_line, calibration_metrics, log_odds
from .methods.choosing import effective_cases, importance_weights, mean_entropy, weighted_validation
from .methods.class_confusion import mcc_loss
from .methods.collapse import CollapseWatch
from .methods.dann import DANN
from .methods.features import prefix_features, stage_features
from .methods.federated import federated_average
from .methods.few_weights import trainable
from .methods.finetune import fine_tune, gradual_unfreeze, lp_ft, probe
from .methods.fisher import fisher_diagonal
from .methods.freezing import freeze, parameter_groups, parameter_report, unfreeze
from .methods.grad_cam import grad_cam
from .methods.graph import GraphNet
from .methods.graph_training import fit_graphs, predict_graphs
from .methods.graph_weights import load_graph_net
from .methods.h_score import h_score
from .methods.history import AlignedHistory, DANNHistory, History
from .methods.intervals import Interval, paired_difference, t_interval
from .methods.kmers import kmer_counts, weighted_degree_kernel
from .methods.leep import leep, n_leep
from .methods.lora import lora, merge, unmerge
from .methods.losses import EWC, L2SP, FeatureDistillation, SourceReplay, transfer_loss
from .methods.map_scores import deletion_auc, deletion_curve, highest_inside, map_correlation, mass_inside, randomised
from .methods.mask_losses import soft_dice_loss
from .methods.mask_scores import dice, iou, lesion_counts, lesion_sensitivity
from .methods.mask_training import fit_masks, predict_masks
from .methods.mask_weights import load_nuclei_unet
from .methods.masked_bases import masked_base_loss, pretrain_masked
from .methods.masked_words import masked_word_loss, pretrain_masked_words
from .methods.matching import match_pixels
from .methods.metrics import bootstrap_metrics
from .methods.motifs import motifs_of_filters
from .methods.nets import CourseCNN, StagedNet
from .methods.operating_point import operating_point
from .methods.optimise import minimise
from .methods.otsu import otsu_masks
from .methods.patient_units import patient_metrics
from .methods.per_example import clipped_sum, per_example_gradients
from .methods.plain_maps import centre_map, edge_map, random_map
from .methods.position_weights import position_scores, position_weights
from .methods.predict import predict, to_float
from .methods.private import dp_fit
from .methods.pseudo_labels import pseudo_label_loss, pseudo_labels, self_train
from .methods.random_contrast import random_contrast
from .methods.reliability import ece_by_chance, expected_calibration_error, reliability, squared_calibration_error
from .methods.saliency import gradient_map, integrated_gradients, occlusion
from .methods.screening import average_precision, enrichment, screening_metrics
from .methods.sequence_nets import SequenceCNN
from .methods.sequence_weights import load_splice_cnn
from .methods.server_steps import FedAdam
from .methods.shared_scale import column_sums, shared_scale
from .methods.sliding_window import sliding_window
from .methods.staged import staged
from .methods.subgroups import by_group, worst_group
from .methods.surface_distance import hausdorff95, surface_distances
from .methods.temperature import find_temperature, tempered
from .methods.tent import entropy, tent
from .methods.text_weights import load_report_encoder
from .methods.threshold import reset_threshold
from .methods.train import fit
from .methods.transferability import linear_probe_score, log_me, proxy_a_distance
from .methods.transformer import TextTransformer
from .methods.unet import UNet, unet_on
from .methods.weights import find_weights, load_backbone
from .teaching.claims import check, session_report
from .teaching.course_map import begin, course_map, data_cards, environment
from .teaching.grading import grade
from .teaching.model_card import model_card, reporting_items
from .teaching.plots import (
    COLOURS,
    interval_marks,
    interval_plot,
    show,
    show_images,
    show_intervals,
    show_shift,
    show_transfer,
)
from .teaching.records import Record
from .teaching.widgets import slider

__all__ = [
    "ABDOMEN_CLASSES",
    "COLOURS",
    "DANN",
    "DESCRIPTORS",
    "EWC",
    "L2SP",
    "MOLECULE_ATOMS",
    "SCANNERS",
    "AlignedHistory",
    "CollapseWatch",
    "CourseCNN",
    "DANNHistory",
    "FeatureDistillation",
    "FedAdam",
    "GraphNet",
    "History",
    "ImageTask",
    "Interval",
    "MaskTask",
    "MoleculeTask",
    "Record",
    "Scanner",
    "SequenceCNN",
    "SourceReplay",
    "Split",
    "StagedNet",
    "Task",
    "TextTask",
    "TextTransformer",
    "UNet",
    "WordPieces",
    "adapt_batch_norm",
    "adapters",
    "assay_shift",
    "attack_curve",
    "augment",
    "auto_transfer",
    "average_precision",
    "begin",
    "bitfit",
    "bootstrap_metrics",
    "budget",
    "by_group",
    "calibration_line",
    "calibration_metrics",
    "card",
    "cards",
    "centre_map",
    "check",
    "clipped_sum",
    "column_sums",
    "coral",
    "coral_loss",
    "course_map",
    "data_cards",
    "deletion_auc",
    "deletion_curve",
    "describe",
    "device",
    "dice",
    "dp_fit",
    "draw",
    "draw_abdomen",
    "draw_cohort",
    "draw_marked_ultrasound",
    "draw_molecules",
    "draw_nuclei",
    "draw_reports",
    "draw_splice_sites",
    "draw_volumes",
    "ece_by_chance",
    "edge_map",
    "effective_cases",
    "enrichment",
    "entropy",
    "environment",
    "epsilon",
    "expected_calibration_error",
    "federated_average",
    "few_masks",
    "few_molecules",
    "few_shot",
    "find_duplicates",
    "find_temperature",
    "find_weights",
    "fine_tune",
    "fisher_diagonal",
    "fit",
    "fit_aligned",
    "fit_cached",
    "fit_graphs",
    "fit_masks",
    "freeze",
    "grad_cam",
    "grade",
    "gradient_map",
    "gradual_unfreeze",
    "h_score",
    "hausdorff95",
    "held_out_task",
    "highest_inside",
    "importance_weights",
    "integrated_gradients",
    "interval_marks",
    "interval_plot",
    "iou",
    "kmer_counts",
    "leep",
    "lesion_counts",
    "lesion_sensitivity",
    "letters",
    "linear_probe_score",
    "lira",
    "load",
    "load_backbone",
    "load_folder",
    "load_graph_net",
    "load_masks",
    "load_molecules",
    "load_nuclei_unet",
    "load_report_encoder",
    "load_sequences",
    "load_splice_cnn",
    "load_texts",
    "log_me",
    "log_odds",
    "lora",
    "loss_attack",
    "lp_ft",
    "map_correlation",
    "masked_base_loss",
    "masked_word_loss",
    "mass_inside",
    "match_pixels",
    "mcc_loss",
    "mean_entropy",
    "membership_scores",
    "merge",
    "minimise",
    "mmd_loss",
    "model_card",
    "motifs_of_filters",
    "n_leep",
    "noise_for",
    "occlusion",
    "one_hot",
    "operating_point",
    "otsu_masks",
    "paired_difference",
    "parameter_groups",
    "parameter_report",
    "patient_metrics",
    "per_example_gradients",
    "plant_marks",
    "position_scores",
    "position_weights",
    "predict",
    "predict_graphs",
    "predict_masks",
    "prefix_features",
    "pretrain_masked",
    "pretrain_masked_words",
    "probe",
    "proxy_a_distance",
    "pseudo_label_loss",
    "pseudo_labels",
    "published_frequencies",
    "random_contrast",
    "random_map",
    "randomised",
    "recalibrate_intercept",
    "recalibrate_slope",
    "recorded",
    "reliability",
    "reporting_items",
    "reset_threshold",
    "reverse_complement",
    "screening_metrics",
    "seed_everything",
    "self_train",
    "session_report",
    "shared_scale",
    "show",
    "show_images",
    "show_intervals",
    "show_shift",
    "show_transfer",
    "slider",
    "sliding_window",
    "soft_dice_loss",
    "soft_prompt",
    "split_by_image",
    "split_by_patient",
    "split_molecules",
    "split_table",
    "squared_calibration_error",
    "stage_features",
    "staged",
    "surface_distances",
    "t_interval",
    "tempered",
    "tent",
    "texts",
    "to_float",
    "tokens",
    "tpr_at",
    "trainable",
    "transfer_loss",
    "transfer_tables",
    "unet_on",
    "unfreeze",
    "unmerge",
    "weighted_degree_kernel",
    "weighted_validation",
    "white_cell_domains",
    "without_duplicates",
    "worst_group",
]
