"""Which portraits the controls are measured on.

None of them is among the twenty that `quality.py` shows and the decoder's constants may be looked at with; nothing that
learns has seen them. The photos are of real people; the synthetic faces add poses, ages and small pictures.
"""

PHOTOS = (
    "001 006 011 014 020 022 023 025 029 031 034 036 041 044 049 051 052 060 069 070 076 083 086 092 096 098"
).split()
SYNTHETIC = (
    "variability_expression_r3c04 variability_ethnicity_r2c12 variability_hair_color_r3c07 variability_ethnicity_r3c00 "
    "variability_hair_style_r4c01 variability_hair_style_r3c10 process_3D_models_r0c00 sample_3x6_r2c05 "
    "variability_hair_style_r3c03 variability_expression_r1c00 variability_hair_color_r2c07 variability_expression_r1c02 "
    "variability_expression_r2c09 variability_expression_r0c04 variability_ethnicity_r0c07 sample_3x6_r0c00 "
    "sample_2x4_r0c03 process_paintings_r0c02 sample_2x4_r0c02 sample_3x6_r1c01 variability_age_r2c03 "
    "variability_hair_color_r4c02 variability_ethnicity_r4c08 variability_expression_r4c03 variability_expression_r4c04 "
    "variability_hair_style_r4c02 variability_hair_style_r0c09 variability_expression_r4c06"
).split()
MEASURED = [f"interfaces/{n}" for n in PHOTOS] + [f"sfhq/{n}" for n in SYNTHETIC]

# Twelve different faces for the contact sheets.
SHEET = (
    "interfaces/001 interfaces/014 interfaces/020 interfaces/023 interfaces/031 interfaces/041 interfaces/044 "
    "interfaces/051 interfaces/086 sfhq/sample_3x6_r0c00 sfhq/variability_ethnicity_r2c12 sfhq/process_paintings_r0c02"
).split()
