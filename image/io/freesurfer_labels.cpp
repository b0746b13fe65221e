// Names and colours of FreeSurfer's automatic segmentations, for images that come without a look-up table.
#include "image/io/freesurfer_labels.hpp"

#include "image/io/plain_text.hpp"

#include <array>
#include <string_view>

namespace nora {
namespace {

struct Structure {
  std::int64_t value;
  std::string_view name;
  std::uint32_t rgb;  // 0xRRGGBB
};

struct Region {
  std::string_view name;
  std::uint32_t rgb;
};

// The values that FreeSurfer writes into aseg and wmparc volumes, as its colour table names and paints them.
constexpr Structure structures[]{
    {0, "Unknown", 0x000000},
    {2, "Left-Cerebral-White-Matter", 0xf5f5f5},
    {3, "Left-Cerebral-Cortex", 0xcd3e4e},
    {4, "Left-Lateral-Ventricle", 0x781286},
    {5, "Left-Inf-Lat-Vent", 0xc43afa},
    {7, "Left-Cerebellum-White-Matter", 0xdcf8a4},
    {8, "Left-Cerebellum-Cortex", 0xe69422},
    {9, "Left-Thalamus-unused", 0x00760e},
    {10, "Left-Thalamus", 0x00760e},
    {11, "Left-Caudate", 0x7abadc},
    {12, "Left-Putamen", 0xec0db0},
    {13, "Left-Pallidum", 0x0c30ff},
    {14, "3rd-Ventricle", 0xccb68e},
    {15, "4th-Ventricle", 0x2acca4},
    {16, "Brain-Stem", 0x779fb0},
    {17, "Left-Hippocampus", 0xdcd814},
    {18, "Left-Amygdala", 0x67ffff},
    {24, "CSF", 0x3c3c3c},
    {25, "Left-Lesion", 0xffa500},
    {26, "Left-Accumbens-area", 0xffa500},
    {28, "Left-VentralDC", 0xa52a2a},
    {30, "Left-vessel", 0xa020f0},
    {31, "Left-choroid-plexus", 0x00c8c8},
    {41, "Right-Cerebral-White-Matter", 0xf5f5f5},
    {42, "Right-Cerebral-Cortex", 0xcd3e4e},
    {43, "Right-Lateral-Ventricle", 0x781286},
    {44, "Right-Inf-Lat-Vent", 0xc43afa},
    {46, "Right-Cerebellum-White-Matter", 0xdcf8a4},
    {47, "Right-Cerebellum-Cortex", 0xe69422},
    {48, "Right-Thalamus-unused", 0x00760e},
    {49, "Right-Thalamus", 0x00760e},
    {50, "Right-Caudate", 0x7abadc},
    {51, "Right-Putamen", 0xec0db0},
    {52, "Right-Pallidum", 0x0d30ff},
    {53, "Right-Hippocampus", 0xdcd814},
    {54, "Right-Amygdala", 0x67ffff},
    {57, "Right-Lesion", 0xffa500},
    {58, "Right-Accumbens-area", 0xffa500},
    {60, "Right-VentralDC", 0xa52a2a},
    {62, "Right-vessel", 0xa020f0},
    {63, "Right-choroid-plexus", 0x00c8dd},
    {72, "5th-Ventricle", 0x78be96},
    {77, "WM-hypointensities", 0xc846ff},
    {78, "Left-WM-hypointensities", 0xff940a},
    {79, "Right-WM-hypointensities", 0xff940a},
    {80, "non-WM-hypointensities", 0xa46ce2},
    {81, "Left-non-WM-hypointensities", 0xa46ce2},
    {82, "Right-non-WM-hypointensities", 0xa46ce2},
    {85, "Optic-Chiasm", 0xeaa91e},
    {192, "Corpus_Callosum", 0xfaff32},
    {251, "CC_Posterior", 0x000040},
    {252, "CC_Mid_Posterior", 0x000070},
    {253, "CC_Central", 0x0000a0},
    {254, "CC_Mid_Anterior", 0x0000d0},
    {255, "CC_Anterior", 0x0000ff},
    {257, "CSF-ExtraCerebral", 0x3c3c3c},
    {258, "Head-ExtraCerebral", 0x9696c8},
    {5001, "Left-UnsegmentedWhiteMatter", 0x141e28},
    {5002, "Right-UnsegmentedWhiteMatter", 0x141e28},
};

// Desikan-Killiany atlas: the place in this list is added to 1000 (left cortex), 2000 (right), 3000 and 4000 (the white
// matter beneath).
constexpr Region desikanKilliany[]{
    {"unknown", 0x190519},
    {"bankssts", 0x196428},
    {"caudalanteriorcingulate", 0x7d64a0},
    {"caudalmiddlefrontal", 0x641900},
    {"corpuscallosum", 0x784632},
    {"cuneus", 0xdc1464},
    {"entorhinal", 0xdc140a},
    {"fusiform", 0xb4dc8c},
    {"inferiorparietal", 0xdc3cdc},
    {"inferiortemporal", 0xb42878},
    {"isthmuscingulate", 0x8c148c},
    {"lateraloccipital", 0x141e8c},
    {"lateralorbitofrontal", 0x234b32},
    {"lingual", 0xe18c8c},
    {"medialorbitofrontal", 0xc8234b},
    {"middletemporal", 0xa06432},
    {"parahippocampal", 0x14dc3c},
    {"paracentral", 0x3cdc3c},
    {"parsopercularis", 0xdcb48c},
    {"parsorbitalis", 0x146432},
    {"parstriangularis", 0xdc3c14},
    {"pericalcarine", 0x78643c},
    {"postcentral", 0xdc1414},
    {"posteriorcingulate", 0xdcb4dc},
    {"precentral", 0x3c14dc},
    {"precuneus", 0xa08cb4},
    {"rostralanteriorcingulate", 0x50148c},
    {"rostralmiddlefrontal", 0x4b327d},
    {"superiorfrontal", 0x14dca0},
    {"superiorparietal", 0x14b48c},
    {"superiortemporal", 0x8cdcdc},
    {"supramarginal", 0x50a014},
    {"frontalpole", 0x640064},
    {"temporalpole", 0x464646},
    {"transversetemporal", 0x9696c8},
    {"insula", 0xffc020},
};

// Destrieux atlas of 2009: added to 11100 (left cortex), 12100 (right), 13100 and 14100 (white matter).
constexpr Region destrieux[]{
    {"Unknown", 0x000000},
    {"G_and_S_frontomargin", 0x17dc3c},
    {"G_and_S_occipital_inf", 0x173cb4},
    {"G_and_S_paracentral", 0x3f643c},
    {"G_and_S_subcentral", 0x3f14dc},
    {"G_and_S_transv_frontopol", 0x0d00fa},
    {"G_and_S_cingul-Ant", 0x1a3c00},
    {"G_and_S_cingul-Mid-Ant", 0x1a3c4b},
    {"G_and_S_cingul-Mid-Post", 0x1a3c96},
    {"G_cingul-Post-dorsal", 0x193cfa},
    {"G_cingul-Post-ventral", 0x3c1919},
    {"G_cuneus", 0xb41414},
    {"G_front_inf-Opercular", 0xdc1464},
    {"G_front_inf-Orbital", 0x8c3c3c},
    {"G_front_inf-Triangul", 0xb4dc8c},
    {"G_front_middle", 0x8c64b4},
    {"G_front_sup", 0xb4148c},
    {"G_Ins_lg_and_S_cent_ins", 0x170a0a},
    {"G_insular_short", 0xe18c8c},
    {"G_occipital_middle", 0xb43cb4},
    {"G_occipital_sup", 0x14dc3c},
    {"G_oc-temp_lat-fusifor", 0x3c148c},
    {"G_oc-temp_med-Lingual", 0xdcb48c},
    {"G_oc-temp_med-Parahip", 0x416414},
    {"G_orbital", 0xdc3c14},
    {"G_pariet_inf-Angular", 0x143cdc},
    {"G_pariet_inf-Supramar", 0x64643c},
    {"G_parietal_sup", 0xdcb4dc},
    {"G_postcentral", 0x14b48c},
    {"G_precentral", 0x3c8cb4},
    {"G_precuneus", 0x19148c},
    {"G_rectus", 0x143c64},
    {"G_subcallosal", 0x3cdc14},
    {"G_temp_sup-G_T_transv", 0x3c3cdc},
    {"G_temp_sup-Lateral", 0xdc3cdc},
    {"G_temp_sup-Plan_polar", 0x41dc3c},
    {"G_temp_sup-Plan_tempo", 0x198c14},
    {"G_temporal_inf", 0xdcdc64},
    {"G_temporal_middle", 0xb43c3c},
    {"Lat_Fis-ant-Horizont", 0x3d14dc},
    {"Lat_Fis-ant-Vertical", 0x3d143c},
    {"Lat_Fis-post", 0x3d3c64},
    {"Medial_wall", 0x191919},
    {"Pole_occipital", 0x8c143c},
    {"Pole_temporal", 0xdcb414},
    {"S_calcarine", 0x3fb4b4},
    {"S_central", 0xdd140a},
    {"S_cingul-Marginalis", 0xdd1464},
    {"S_circular_insula_ant", 0xdd3c8c},
    {"S_circular_insula_inf", 0xdd14dc},
    {"S_circular_insula_sup", 0x3ddcdc},
    {"S_collat_transv_ant", 0x64c8c8},
    {"S_collat_transv_post", 0x0ac8c8},
    {"S_front_inf", 0xdddc14},
    {"S_front_middle", 0x8d1464},
    {"S_front_sup", 0x3ddc64},
    {"S_interm_prim-Jensen", 0x8d3c14},
    {"S_intrapariet_and_P_trans", 0x8f14dc},
    {"S_oc_middle_and_Lunatus", 0x653cdc},
    {"S_oc_sup_and_transversal", 0x15148c},
    {"S_occipital_ant", 0x3d14b4},
    {"S_oc-temp_lat", 0xdd8c14},
    {"S_oc-temp_med_and_Lingual", 0x8d64dc},
    {"S_orbital_lateral", 0xdd6414},
    {"S_orbital_med-olfact", 0xb5c814},
    {"S_orbital-H_Shaped", 0x651414},
    {"S_parieto_occipital", 0x6564b4},
    {"S_pericallosal", 0xb5dc14},
    {"S_postcentral", 0x158cc8},
    {"S_precentral-inf-part", 0x1514f0},
    {"S_precentral-sup-part", 0x1514c8},
    {"S_suborbital", 0x15143c},
    {"S_subparietal", 0x653c3c},
    {"S_temporal_inf", 0x15b4b4},
    {"S_temporal_sup", 0xdfdc3c},
    {"S_temporal_transverse", 0xdd3c3c},
};

void add(std::vector<Label>& out, std::int64_t value, std::string name, std::uint32_t rgb) {
  const auto channel = [&](unsigned shift) { return static_cast<std::uint8_t>(rgb >> shift & 0xff); };
  out.push_back({value,
                 std::move(name),
                 {channel(16), channel(8), channel(0), value == 0 ? std::uint8_t{0} : std::uint8_t{255}}});
}

template <std::size_t n>
void addRegions(std::vector<Label>& out, const Region (&regions)[n], std::int64_t first, const std::string& prefix,
                std::uint32_t flip = 0) {
  for (std::size_t i = 0; i < n; ++i) {
    add(out, first + static_cast<std::int64_t>(i), prefix + std::string(regions[i].name), regions[i].rgb ^ flip);
  }
}

LabelTable makeTable() {
  constexpr std::uint32_t complement = 0xffffff;  // how FreeSurfer paints the white matter below a region
  std::vector<Label> out;
  for (const Structure& structure : structures) add(out, structure.value, std::string(structure.name), structure.rgb);
  addRegions(out, desikanKilliany, 1000, "ctx-lh-");
  addRegions(out, desikanKilliany, 2000, "ctx-rh-");
  addRegions(out, desikanKilliany, 3000, "wm-lh-", complement);
  addRegions(out, desikanKilliany, 4000, "wm-rh-", complement);
  addRegions(out, destrieux, 11100, "ctx_lh_");
  addRegions(out, destrieux, 12100, "ctx_rh_");
  addRegions(out, destrieux, 13100, "wm_lh_");
  addRegions(out, destrieux, 14100, "wm_rh_");
  return LabelTable(std::move(out), "FreeSurfer");
}

}  // namespace

bool isFreeSurferSegmentation(const std::string& name) {
  const std::string lower = lowerFileName(name);
  for (const std::string_view word : {"aseg", "aparc", "wmparc"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

const LabelTable& freeSurferLabels() {
  static const LabelTable table = makeTable();
  return table;
}

}  // namespace nora
